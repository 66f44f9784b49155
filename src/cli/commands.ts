import { roomPrefix } from '../room/stream.ts';
import type { CommandSpec } from './invocation.ts';

/** Every command of `imcd`, in the order of `imcd --help`. A new one is a row here and a module that exports `run`. */
export const commands: readonly CommandSpec[] = [
  {
    usage: 'serve',
    summary: 'run the server, in the foreground; SIGTERM and SIGINT stop it, SIGHUP reloads what can be reloaded',
    examples: [
      ['imcd serve', 'on loopback, with its data in imcd-data under the working directory'],
      ['imcd serve --config /etc/imcd.yaml --log.level debug', 'options of a file, one of them overridden'],
    ],
    load: () => import('./command/serve.ts'),
  },
  {
    usage: 'chat <aor> <room>',
    summary: 'talk in a room from the terminal: registers, joins, sends each line typed, prints what comes',
    options: [
      [
        '--server <uri>',
        'where to send to, sip:HOST[:PORT][;transport=tcp] (default: the one configured, or the domain of AOR)',
      ],
      ['--password-file <file>', 'file whose first line is the password, where the server asks for one'],
    ],
    examples: [
      ['imcd chat sip:alice@localhost chat-001', 'as alice; Ctrl-D leaves'],
      ['echo hello | imcd chat sip:bob@localhost chat-001', 'sends one line'],
    ],
    load: () => import('./command/chat.ts'),
  },
  {
    usage: 'check-config',
    summary: 'say whether the configuration is right, and print it whole with defaults, secrets hidden',
    examples: [['imcd check-config --config /etc/imcd.yaml', 'before a restart']],
    load: () => import('./command/check-config.ts'),
  },
  {
    usage: 'history [room]',
    summary: "a room's events in order, or with --user all that one user did or had done to them, across rooms",
    options: [
      ['--user <aor>', 'follow one user over all rooms'],
      ['--json', 'one JSON object a line'],
      ['--follow', 'go on with new events as they come'],
      ['--since <time>', "not before: 'yesterday 14:00', -2h, RFC 3339"],
      ['--until <time>', 'not after'],
      ['--from <revision>', 'from this revision on'],
      ['--type <types>', 'only these events, separated by commas: MemberRemoved,RoomDestroyed'],
      ['--actor <aor>', 'only what this user, or operator:NAME, asked for'],
    ],
    examples: [
      ['imcd history chat-001 --since yesterday --type MemberRemoved', 'who threw whom out, and when'],
      ['imcd history --user alice@example.org --json', 'all of one user, for a program'],
    ],
    load: () => import('./command/history.ts'),
  },
  {
    usage: 'state [room]',
    summary: 'rooms and members as they are, or as they were, by replay',
    options: [
      ['--at <time>', "at this time: '2026-11-22 14:00', -2h, RFC 3339"],
      ['--revision <number>', "after this event of the room's"],
      ['--position <position>', 'at this place in the whole log, as history --json shows it'],
      ['--json', 'one room a line'],
    ],
    examples: [["imcd state chat-001 --at '2026-11-22 14:00'", 'members and roles as they were then']],
    load: () => import('./command/state.ts'),
  },
  {
    usage: 'verify',
    summary:
      "compare the log, replayed from 0, with the snapshot, the running server's rooms and the mirror's rows; exit 1 where they differ",
    examples: [['imcd verify --config /etc/imcd.yaml', 'beside the running server, or without one']],
    load: () => import('./command/verify.ts'),
  },
  {
    usage: 'rebuild',
    summary: 'build the mirror anew from the log, beside the live tables, and swap it in; also while a server runs',
    examples: [['imcd rebuild --config /etc/imcd.yaml', "after somebody has changed the mirror's tables"]],
    load: () => import('./command/rebuild.ts'),
  },
  {
    usage: 'import',
    summary: 'make rooms and members of the tables that OpenSIPS or Kamailio wrote; run again, it adds nothing',
    options: [
      [
        '--from <url>',
        'the database: mysql://USER@HOST/NAME, postgres://USER@HOST/NAME or sqlite:FILE; it is only read',
      ],
      ['--password-file <file>', 'file whose first line is the password for it, where the URL has none'],
    ],
    examples: [
      [
        'imcd import --from mysql://opensips@db.example.org/opensips --password-file /etc/imcd/db',
        'lists what was left alone',
      ],
    ],
    load: () => import('./command/import.ts'),
  },
  {
    usage: 'export',
    summary: 'the log as NDJSON on stdout, or with --restore back into an empty log',
    options: [
      ['--since <position>', 'only what came after this position; such an export cannot be restored alone'],
      ['--restore <file>', 'read an export (- is stdin) into the empty log that the configuration names'],
    ],
    examples: [
      ['imcd export > rooms.ndjson', 'a backup, also while the server runs'],
      ['imcd export --restore rooms.ndjson --data /var/lib/imcd-new', 'on another machine, or in another folder'],
    ],
    load: () => import('./command/export.ts'),
  },
  {
    usage: 'projections <action> [names...]',
    summary: 'projections in EventStoreDB: deploy, status, result NAME, remove; run FILE runs one here, over any log',
    options: [
      ['--partition <name>', "result: of this partition; a room's stream, for one that is kept for each stream"],
      ['--reset', 'deploy: let changed projections read the log anew; not for one that writes events or links'],
      ['--memory <mib>', 'run: most heap (default 256)'],
      ['--time <seconds>', 'run: longest time in all (default 600)'],
    ],
    examples: [
      ['imcd projections deploy', 'all files of projections/ into the EventStoreDB that store_url names'],
      [`imcd projections result room-members --partition ${roomPrefix}chat-1@example.org`, 'who is in a room'],
      ['imcd projections run my-report.js', 'a file of your own, over the embedded log, in a sandbox'],
    ],
    load: () => import('./command/projections.ts'),
  },
  {
    usage: 'mi <method> [params...]',
    summary: "call a running server's management interface, and print the JSON result",
    examples: [
      ['imcd mi imc_list_rooms', 'all rooms'],
      ['imcd mi list_members room=sip:chat-001@example.org', 'parameters by name, or by position without the name'],
    ],
    load: () => import('./command/mi.ts'),
  },
  {
    usage: 'completion <shell>',
    summary: 'print the completion script for bash, zsh or fish',
    examples: [['eval "$(imcd completion bash)"', 'in ~/.bashrc']],
    load: () => import('./command/completion.ts'),
  },
];
