/**
 * The mutation operators: which small changes of a syntax tree are tried. Comparisons, arithmetic, bits and logic are
 * exchanged, integers are off by one, conditions negated or decided, parts of conditions and statements dropped; in
 * AssemblyScript, integer types of casts, loads and stores are changed as well. Names, types, imports, texts,
 * assertions and what an error says stay as they are. Does not ask whether a mutant compiles.
 */
import {
  type Expression,
  isArrowFunction,
  isAwaitExpression,
  isBigIntLiteral,
  isBinaryExpression,
  isBlock,
  isBreakStatement,
  isCallExpression,
  isConditionalExpression,
  isConstructorDeclaration,
  isContinueStatement,
  isDecorator,
  isDoStatement,
  isExportDeclaration,
  isExpressionStatement,
  isForStatement,
  isFunctionDeclaration,
  isFunctionExpression,
  isGetAccessorDeclaration,
  isIdentifier,
  isIfStatement,
  isImportDeclaration,
  isMethodDeclaration,
  isNumericLiteral,
  isPostfixUnaryExpression,
  isPrefixUnaryExpression,
  isPropertyAccessExpression,
  isReturnStatement,
  isStringLiteral,
  isTemplateExpression,
  isThrowStatement,
  isTypeAssertion,
  isTypeNode,
  isVariableDeclaration,
  isWhileStatement,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast';

export interface Mutation {
  /** Offsets into the file's text, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** Name of the operator, for people. */
  readonly operator: string;
  /** Name of the function around it, as V8 gives it: the innermost one that has a name; '' outside of any. */
  readonly within: string;
}

export type Language = 'typescript' | 'assemblyscript';

/** How a condition with a known value is written. */
type Decided = (value: boolean) => string;

/** What takes the place of a binary operator. */
const BINARY: Readonly<Record<string, { operator: string; to: readonly string[] }>> = {
  ...exchange('comparison', {
    '<': ['<=', '>='],
    '<=': ['<', '>'],
    '>': ['>=', '<='],
    '>=': ['>', '<'],
    '==': ['!='],
    '!=': ['=='],
    '===': ['!=='],
    '!==': ['==='],
  }),
  ...exchange('arithmetic', { '+': ['-'], '-': ['+'], '*': ['/'], '/': ['*'], '%': ['*'] }),
  ...exchange('bits', { '&': ['|'], '|': ['&'], '^': ['|'], '<<': ['>>'], '>>': ['<<'], '>>>': ['>>'] }),
  ...exchange('logic', { '&&': ['||'], '||': ['&&'] }),
  ...exchange('assignment', {
    '+=': ['-='],
    '-=': ['+='],
    '*=': ['/='],
    '/=': ['*='],
    '|=': ['&='],
    '&=': ['|='],
    '^=': ['|='],
    '<<=': ['>>='],
    '>>=': ['<<='],
    '>>>=': ['>>='],
  }),
};

/** Functions and methods that are exchanged by name. */
const CALLS = new Map([
  ['min', 'max'],
  ['max', 'min'],
  ['some', 'every'],
  ['every', 'some'],
]);

/** AssemblyScript: a signed type read as unsigned, an unsigned one with half its bits. */
const INTEGERS = new Map([
  ['i8', 'u8'],
  ['i16', 'u16'],
  ['i32', 'u32'],
  ['i64', 'u64'],
  ['u16', 'u8'],
  ['u32', 'u16'],
  ['u64', 'u32'],
]);

const COMPARISONS = new Set(['<', '<=', '>', '>=', '==', '!=', '===', '!==']);

function exchange(operator: string, table: Readonly<Record<string, readonly string[]>>) {
  return Object.fromEntries(Object.entries(table).map(([from, to]) => [from, { operator, to }]));
}

/** Every mutation of a file, in the order of the text; at one place in the order of the operators below. */
export function mutationsOf(file: SourceFile, language: Language): Mutation[] {
  const found: Mutation[] = [];
  // TypeScript would reject what a literal makes unreachable, though it runs.
  const decided = (value: boolean) => (language === 'typescript' ? `(${value} as boolean)` : `${value}`);
  const visit = (node: Node): void => {
    if (language === 'assemblyscript') found.push(...integerMutations(node, file));
    if (isLeftAlone(node)) return;
    found.push(
      ...binaryMutations(node, file, decided),
      ...unaryMutations(node, file),
      ...literalMutations(node, file),
      ...conditionMutations(node, file, decided),
      ...callMutations(node, file),
      ...droppedStatement(node, file),
    );
    // A throw may be dropped, but what it says is for people.
    if (!isThrowStatement(node)) node.forEachChild(visit);
  };
  file.forEachChild(visit);
  return found.sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Types and imports mean nothing at run time; an assertion cannot fail. */
function isLeftAlone(node: Node): boolean {
  if (isTypeNode(node) || isImportDeclaration(node) || isExportDeclaration(node) || isDecorator(node)) return true;
  return isCallExpression(node) && isIdentifier(node.expression) && node.expression.text === 'invariant';
}

function replace(node: Node, file: SourceFile, replacement: string, operator: string): Mutation {
  return { start: node.getStart(file), end: node.end, replacement, operator, within: functionAround(node, file) };
}

function functionAround(node: Node, file: SourceFile): string {
  for (let at = node; at.parent !== undefined; at = at.parent) {
    const { parent } = at;
    if (isFunctionDeclaration(at) || isMethodDeclaration(at)) return at.name?.getText(file) ?? '';
    if (isGetAccessorDeclaration(at)) return `get ${at.name.getText(file)}`;
    if (isConstructorDeclaration(at)) return at.parent.name?.getText(file) ?? '';
    const named = (isArrowFunction(at) || isFunctionExpression(at)) && isVariableDeclaration(parent);
    if (named) return parent.name.getText(file);
  }
  return '';
}

function binaryMutations(node: Node, file: SourceFile, decided: Decided): Mutation[] {
  if (!isBinaryExpression(node)) return [];
  const token = node.operatorToken.getText(file);
  const known = BINARY[token];
  // Texts are joined with the operator of sums.
  if (known === undefined || isText(node.left) || isText(node.right)) return [];
  const mutations = known.to.map((to) => replace(node.operatorToken, file, to, known.operator));
  if (token !== '&&' && token !== '||') return mutations;
  const neutral = decided(token === '&&');
  const parts = [node.left, node.right].map((part) => replace(part, file, neutral, 'part of a condition'));
  return [...mutations, ...parts];
}

function isText(node: Expression): boolean {
  if (isBinaryExpression(node)) return isText(node.left) || isText(node.right);
  return isStringLiteral(node) || isTemplateExpression(node) || node.kind === SyntaxKind.NoSubstitutionTemplateLiteral;
}

function unaryMutations(node: Node, file: SourceFile): Mutation[] {
  if (!isPrefixUnaryExpression(node) && !isPostfixUnaryExpression(node)) return [];
  const operand = node.operand.getText(file);
  const counts = { [SyntaxKind.PlusPlusToken]: '--', [SyntaxKind.MinusMinusToken]: '++' } as Record<number, string>;
  const other = counts[node.operator];
  if (other !== undefined) {
    const replacement = isPrefixUnaryExpression(node) ? other + operand : operand + other;
    return [replace(node, file, replacement, 'assignment')];
  }
  if (node.operator === SyntaxKind.PlusToken) return [];
  return [replace(node, file, operand, 'unary')];
}

function literalMutations(node: Node, file: SourceFile): Mutation[] {
  if (node.kind === SyntaxKind.TrueKeyword) return [replace(node, file, 'false', 'boolean')];
  if (node.kind === SyntaxKind.FalseKeyword) return [replace(node, file, 'true', 'boolean')];
  if (!isNumericLiteral(node) && !isBigIntLiteral(node)) return [];
  const [, digits, suffix] = /^(0x[\da-f_]+|\d[\d_]*)(n?)$/i.exec(node.getText(file)) ?? [];
  if (digits === undefined) return [];
  const value = BigInt(digits.replaceAll('_', ''));
  const write = (n: bigint) => (/^0x/i.test(digits) ? `0x${n.toString(16)}` : `${n}`) + suffix;
  const values = value === 0n ? [1n] : [value + 1n, value - 1n];
  return values.map((n) => replace(node, file, write(n), 'off by one'));
}

function conditionMutations(node: Node, file: SourceFile, decided: Decided): Mutation[] {
  const loop = isWhileStatement(node) || isDoStatement(node) || isForStatement(node);
  const condition = conditionOf(node);
  if (condition === undefined || isBoolean(condition)) return [];
  // A loop whose condition always holds never ends: nothing is learnt from it.
  const values = loop ? [false] : [true, false];
  const mutations = values.map((value) => replace(condition, file, decided(value), 'condition decided'));
  // Of these the negation is among the mutations of the operator.
  const negatedAnyway =
    (isBinaryExpression(condition) && COMPARISONS.has(condition.operatorToken.getText(file))) ||
    (isPrefixUnaryExpression(condition) && condition.operator === SyntaxKind.ExclamationToken);
  if (!negatedAnyway) mutations.push(replace(condition, file, `!(${condition.getText(file)})`, 'condition negated'));
  return mutations;
}

function conditionOf(node: Node): Expression | undefined {
  if (isIfStatement(node) || isWhileStatement(node) || isDoStatement(node)) return node.expression;
  if (isForStatement(node) || isConditionalExpression(node)) return node.condition;
  return undefined;
}

const isBoolean = (node: Node) => node.kind === SyntaxKind.TrueKeyword || node.kind === SyntaxKind.FalseKeyword;

function callMutations(node: Node, file: SourceFile): Mutation[] {
  if (!isCallExpression(node)) return [];
  const name = isPropertyAccessExpression(node.expression) ? node.expression.name : node.expression;
  const other = CALLS.get(name.getText(file));
  return other === undefined ? [] : [replace(name, file, other, 'call exchanged')];
}

function droppedStatement(node: Node, file: SourceFile): Mutation[] {
  const drop = [replace(node, file, '{}', 'statement dropped')];
  if (isBreakStatement(node) || isContinueStatement(node) || isThrowStatement(node)) return drop;
  if (isReturnStatement(node)) return isEarly(node) ? drop : [];
  if (!isExpressionStatement(node)) return [];
  const expression = isAwaitExpression(node.expression) ? node.expression.expression : node.expression;
  if (isCallExpression(expression)) {
    return isLeftAlone(expression) || expression.expression.kind === SyntaxKind.SuperKeyword ? [] : drop;
  }
  const assigns =
    isBinaryExpression(expression) && /[^=!<>]=$|<<=$|>>=$|^=$/.test(expression.operatorToken.getText(file));
  return assigns || isPostfixUnaryExpression(expression) || isPrefixUnaryExpression(expression) ? drop : [];
}

/** Whether a return does not end its function: it stands in a branch, or before something else. */
function isEarly(node: Node): boolean {
  const { parent } = node;
  if (!isBlock(parent)) return true;
  const inner = isIfStatement(parent.parent) || isWhileStatement(parent.parent) || isForStatement(parent.parent);
  return inner || parent.statements.at(-1) !== node;
}

function integerMutations(node: Node, file: SourceFile): Mutation[] {
  const types: readonly Node[] = isTypeAssertion(node)
    ? [node.type]
    : isCallExpression(node)
      ? (node.typeArguments ?? [])
      : [];
  return types.flatMap((type) => {
    const other = INTEGERS.get(type.getText(file));
    return other === undefined ? [] : [replace(type, file, other, 'integer type')];
  });
}
