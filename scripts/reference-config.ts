import { stringify } from 'yaml';
import { allOptions, type Option, type Surroundings, sections } from '../src/config/config.ts';
import { code, page, table } from './markdown.ts';

/** What a default shows where it depends on the machine. */
const around: Surroundings = { hostName: 'HOSTNAME', terminal: false, data: 'imcd-data' };

const fallbackOf = ({ fallback }: Option): unknown => (typeof fallback === 'function' ? fallback(around) : fallback);
const variableOf = (name: string): string => `IMCD_${name.toUpperCase().replaceAll('.', '__')}`;
const shownDefault = (option: Option): string =>
  option.fallbackText ?? code(typeof option.fallback === 'string' ? option.fallback : JSON.stringify(option.fallback));

export const configPage = (): string => {
  const rows = [...allOptions].map(([name, option]) => [
    code(name),
    shownDefault(option),
    option.meaning + (option.secret ? ` Can be named as a file: ${code(`${name}_file`)}.` : ''),
    option.kind.allowed,
    code(variableOf(name)),
    option.reloadable ? 'yes' : '',
  ]);
  return page(
    'Configuration',
    `An option can stand in the YAML file (${code('--config FILE')}, or the one that ${code('IMCD_CONFIG')} names), in the environment, or on the command line (${code('--mi.http 127.0.0.1:8888')}), each over the one before. Lists in the environment and on the command line are separated by commas. An unknown or wrong option stops the start with its path, what was found and what is allowed; ${code('imcd check-config')} says the same without starting anything. [imcd.example.yaml](../../imcd.example.yaml) holds them all, and [schemas/config.json](../../schemas/config.json) is the schema for editors.`,
    table(['option', 'default', 'meaning', 'allowed', 'environment', 'SIGHUP applies it'], rows),
    '## What goes together',
    `- On an address that is not loopback imcd starts only where ${code('trusted')} names more than loopback, or ${code('open')} is set: without a way to know its senders, a forged UDP source could use a room to multiply traffic at a stranger.\n- Off loopback ${code('mi.http')} needs ${code('mi.token')}; ${code('mi.datagram')} is for loopback only.\n- SIGHUP reads the configuration again. What it cannot apply it names in the log; a wrong configuration changes nothing.`,
  );
};

/** Comment lines of at most 110 characters. */
const comment = (text: string, indent: string): string => {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length > 105) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => `${indent}# ${line}`).join('\n');
};

/** One option: what it means, what is allowed, and its default; commented out where that depends on the machine. */
const entry = (fullName: string, option: Option, indent: string): string => {
  const name = fullName.split('.').at(-1) ?? fullName;
  const value = stringify({ [name]: fallbackOf(option) }, { flowCollectionPadding: false, collectionStyle: 'flow' })
    .trim()
    .replace(/^\{(.*)\}$/s, '$1');
  const notes = [`Allowed: ${option.kind.allowed}.`];
  if (option.fallbackText !== undefined) notes.push(`Default: ${option.fallbackText}.`);
  if (option.secret) notes.push(`Or name a file that holds it: ${name}_file.`);
  const off = typeof option.fallback === 'function' ? '# ' : '';
  return `${comment(option.meaning, indent)}\n${comment(notes.join(' '), indent)}\n${indent}${off}${value}`;
};

/** The annotated manual of the options. Loading it is the same as loading nothing. */
export const exampleFile = (): string => {
  const parts = [
    '# imcd: every option with its default. Copy what you change, and leave out the rest.\n# imcd serve --config imcd.yaml; imcd check-config --config imcd.yaml says whether it is right.',
  ];
  for (const [prefix, options] of Object.entries(sections)) {
    const indent = prefix === '' ? '' : '  ';
    const entries = Object.entries<Option>(options).map(([name, option]) => entry(prefix + name, option, indent));
    if (prefix === '') parts.push(...entries);
    else parts.push(`${prefix.slice(0, -1)}:\n${entries.join('\n\n')}`);
  }
  return `${parts.join('\n\n')}\n`;
};

const schemaOf = (name: string, option: Option) => ({
  ...option.kind.schema,
  description: `${option.meaning} Allowed: ${option.kind.allowed}.`,
  ...(typeof option.fallback === 'function' ? {} : { default: fallbackOf(option) }),
  title: name,
});

const propertiesOf = (prefix: string, options: Readonly<Record<string, Option>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).flatMap(([name, option]): [string, unknown][] => [
      [name, schemaOf(prefix + name, option)],
      ...(option.secret
        ? [[`${name}_file`, { type: 'string', description: `File that holds ${name}.` }] as [string, unknown]]
        : []),
    ]),
  );

/** JSON Schema of the YAML file. */
export const configSchema = () => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:imcd:config',
  title: 'imcd configuration',
  type: 'object',
  additionalProperties: false,
  properties: {
    ...propertiesOf('', sections['']),
    mi: { type: 'object', additionalProperties: false, properties: propertiesOf('mi.', sections['mi.']) },
    log: { type: 'object', additionalProperties: false, properties: propertiesOf('log.', sections['log.']) },
  },
});
