export default { name: "some library" };
