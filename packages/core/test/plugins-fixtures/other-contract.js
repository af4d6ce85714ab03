const fixture = () => undefined;

export default Object.assign(fixture, { kind: "app", contract: 2 });
