/**
 * Finds redundant non-null assertions (`x!`), on types without null or undefined. Indexing returns the element's type here
 * (`noUncheckedIndexedAccess` is off), so assertions on indexed values are redundant, and hide those that are not.
 */
import ts from 'typescript';

/** An assertion: `file:line`, and the offset of the `!`. */
export interface IdleAssertion {
  readonly location: string;
  readonly file: string;
  readonly position: number;
}

/** The redundant assertions in the files of a project. */
export function idleAssertions(configFile: string): IdleAssertion[] {
  const { config } = ts.readConfigFile(configFile, ts.sys.readFile);
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, process.cwd());
  const program = ts.createProgram(fileNames, options);
  const checker = program.getTypeChecker();
  const nothing =
    ts.TypeFlags.Null | ts.TypeFlags.Undefined | ts.TypeFlags.Void | ts.TypeFlags.Unknown | ts.TypeFlags.Any;
  const mayBeNothing = (type: ts.Type): boolean =>
    (type.flags & nothing) !== 0 ||
    (type.isUnion() && type.types.some(mayBeNothing)) ||
    (type.isTypeParameter() && mayBeNothing(checker.getBaseConstraintOfType(type) ?? checker.getAnyType()));
  return program.getSourceFiles().flatMap(source => {
    if (source.isDeclarationFile || source.fileName.includes('/node_modules/')) return [];
    const found: IdleAssertion[] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isNonNullExpression(node) && !mayBeNothing(checker.getTypeAtLocation(node.expression))) {
        const position = node.expression.getEnd();
        const { line } = source.getLineAndCharacterOfPosition(position);
        found.push({ location: `${source.fileName}:${line + 1}`, file: source.fileName, position });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
  });
}
