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

const leaky = () => undefined;

export default Object.assign(leaky, { kind: "app", contract: 1, options });
