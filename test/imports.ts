/** What TypeScript files import, read with the compiler's own parser. */
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import ts from "typescript";

/** Packages a file imports: types, re-exports and `import()` included; Node's own and relative paths not. */
export function packagesImportedBy(file: string): string[] {
  const names = importsOf(file).filter((name) => !name.startsWith(".") && !isBuiltin(name));
  return [...new Set(names.map((name) => name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/")))];
}

/** Relative paths a file imports, as written. */
export function relativeImportsOf(file: string): string[] {
  return importsOf(file).filter((name) => name.startsWith("."));
}

function importsOf(file: string): string[] {
  return ts.preProcessFile(readFileSync(file, "utf8"), true, true).importedFiles.map(({ fileName }) => fileName);
}

/** Relative paths a file loads when it runs: what is imported for its types alone is left out. */
export function relativeLoadsOf(file: string): string[] {
  const { statements } = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
  return statements.flatMap((statement) => {
    if (!(ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) || statement.moduleSpecifier === undefined) return [];
    const path = (statement.moduleSpecifier as ts.StringLiteral).text;
    return path.startsWith(".") && !isForTypes(statement) ? [path] : [];
  });
}

/** Names a file imports from a package, types included; `*` for all of it. */
export function namesImportedFrom(file: string, name: string): string[] {
  const { statements } = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
  return statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) || (statement.moduleSpecifier as ts.StringLiteral).text !== name) return [];
    const bindings = statement.importClause?.namedBindings;
    return bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements.map((element) => (element.propertyName ?? element.name).text) : ["*"];
  });
}

function isForTypes(statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(statement)) return statement.isTypeOnly;
  const { importClause } = statement;
  if (importClause === undefined || importClause.isTypeOnly) return importClause !== undefined;
  const { name, namedBindings } = importClause;
  return name === undefined && namedBindings !== undefined && ts.isNamedImports(namedBindings) && namedBindings.elements.every(({ isTypeOnly }) => isTypeOnly);
}
