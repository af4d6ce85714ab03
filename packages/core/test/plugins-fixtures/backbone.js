/** Takes no options. */
export default Object.assign((options) => ({ kind: "backbone", name: "fixture", create: () => options }), {
  kind: "backbone",
  pluginName: "fixture",
  contract: 1,
});
