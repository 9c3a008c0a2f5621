/**
 * docs/json.md: every shape that `--json` prints, from the schemas of tui/cli/json. Relies on zod's JSON Schema of
 * them.
 */
import { z } from 'zod';
import { JSON_SHAPES, type JsonShape } from '../tui/cli/json/shapes.ts';

/** As much of JSON Schema as zod makes of our schemas. */
export interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | false;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const INTRODUCTION = `# What \`--json\` prints

Written by \`npm run docs\` from the schemas that tests read the output with; the compiler compares them with what is printed.

One object on standard output; warnings and what to type next go to standard error, and the exit code is the same as without
\`--json\`. Objects have the fields that are listed here and no others. A field marked *may be missing* is left out where there is
nothing to say; \`null\` says that there is none. A command that is refused (exit code 2, or 3 where nothing can be read) prints
nothing on standard output. Moments, ticks and sizes are numbers, exact as they are below 2^53; 64-bit integers are text
([Hex](#hex)).
`;

/** The page. */
export function jsonPage(): string {
  const rows: readonly JsonShape[] = Object.values(JSON_SHAPES);
  const shapes = rows.map(({ schema, ...row }) => ({ ...row, schema: jsonSchema(schema) }));
  const parts = new Map(shapes.flatMap(({ schema }) => Object.entries(schema.$defs ?? {})));
  const byName = [...parts].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    INTRODUCTION,
    ...shapes.map(
      ({ command, schema, lines }) =>
        `## \`${command}\`\n${lines ? '\nAny number of these, one a line.\n' : ''}${part(schema)}`,
    ),
    '## Parts\n',
    ...byName.map(([name, schema]) => `### ${name}\n\n${schema.description}\n${part(schema)}`),
  ].join('\n');
}

export const jsonSchema = (schema: z.ZodType): Schema => z.toJSONSchema(schema) as Schema;

function part(schema: Schema): string {
  const kinds = schema.oneOf ?? schema.anyOf;
  if (kinds) return `\n${kinds.map((kind) => `${fields(kind)}\n`).join('\n')}`;
  return schema.properties ? `\n${fields(schema)}\n` : '';
}

function fields({ properties = {}, required = [] }: Schema): string {
  const rows = Object.entries(properties).map(([name, schema]) => {
    const missing = required.includes(name) ? '' : '; may be missing';
    return `| \`${name}\` | ${typeText(schema)}${missing} | ${cell(schema.description ?? '')} |`;
  });
  return ['| field | is | meaning |', '|---|---|---|', ...rows].join('\n');
}

function typeText(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/$defs/', '');
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  const kinds = schema.anyOf ?? schema.oneOf;
  if (kinds) return kinds.map(typeText).join(' or ');
  if (schema.type === 'array') return `list of ${typeText(schema.items ?? {})}`;
  if (schema.type === 'object') return `object: each name has ${typeText(schema.additionalProperties || {})}`;
  return schema.type === 'string' ? 'text' : schema.type === 'boolean' ? 'true or false' : (schema.type ?? 'anything');
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
