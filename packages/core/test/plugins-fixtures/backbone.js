/** Takes no options. */
const fixture = (options) => ({ kind: "backbone", name: "fixture", create: () => options });

export default Object.assign(fixture, {
  kind: "backbone",
  contract: 1,
});
