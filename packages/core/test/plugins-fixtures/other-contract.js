export default Object.assign(() => undefined, { kind: "app", pluginName: "fixture", contract: 2 });
