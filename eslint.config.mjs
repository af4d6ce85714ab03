import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["**/dist/**", "**/node_modules/**", "**/.cache/**", "bench/results/**"] },
  js.configs.recommended,
  { files: ["**/*.mjs", "**/*.js"], languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly", Buffer: "readonly", setTimeout: "readonly", clearTimeout: "readonly", setInterval: "readonly", clearInterval: "readonly", setImmediate: "readonly", performance: "readonly", AbortController: "readonly", AbortSignal: "readonly", fetch: "readonly" } } },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true }],
      // Contracts say `Promise`; an implementation with nothing to wait for is still async.
      "@typescript-eslint/require-await": "off",
      "no-control-regex": "off",
      "no-console": "error",
    },
  },
  // What isolatedDeclarations would ask for, but where a schema is the source of the types.
  { files: ["packages/**/src/**/*.ts"], rules: { "@typescript-eslint/explicit-module-boundary-types": "error" } },
  { files: ["**/*.test.ts", "**/test/**/*.ts"], rules: { "@typescript-eslint/unbound-method": "off" } },
  { files: ["**/*.mjs", "examples/**/*.ts", "packages/cli/src/**/*.ts"], rules: { "no-console": "off" } },
);
