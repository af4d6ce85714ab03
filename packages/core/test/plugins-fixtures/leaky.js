/** Its schema repeats what it was given. */
const options = {
  "~standard": {
    version: 1,
    vendor: "leaky",
    validate: (value) => ({
      issues: [
        { message: `expected a number but received "${value.token}"`, path: [{ key: "token" }] },
        { message: `cannot log in with ${value.token}`, path: ["host"] },
      ],
    }),
  },
};

export default Object.assign(() => undefined, { kind: "app", pluginName: "leaky", contract: 1, options });
