import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';

/** There is no container engine where these tests run: the files are read, and what they configure is tried. */

const root = join(import.meta.dirname, '..', '..');
const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { uniqueKeys: true, strict: true });
const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8');

/** As compose fills them in where the environment has nothing. */
const filledIn = (environment: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value.replace(/\$\{\w+:-([^}]*)\}/g, '$1')]),
  );

describe('docker-compose.yml', () => {
  it('uses only keys that compose knows', () => {
    const known = {
      top: ['name', 'services', 'networks', 'volumes'],
      service: [
        'build',
        'image',
        'restart',
        'depends_on',
        'environment',
        'ports',
        'volumes',
        'read_only',
        'tmpfs',
        'cap_drop',
        'security_opt',
        'stop_grace_period',
        'healthcheck',
      ],
      healthcheck: ['test', 'interval', 'timeout', 'retries', 'start_period'],
    };
    assert.deepEqual(
      Object.keys(compose).filter((key) => !known.top.includes(key)),
      [],
    );
    for (const service of Object.values<Record<string, object>>(compose.services)) {
      assert.deepEqual(
        Object.keys(service).filter((key) => !known.service.includes(key)),
        [],
      );
      assert.deepEqual(
        Object.keys(service.healthcheck ?? {}).filter((key) => !known.healthcheck.includes(key)),
        [],
      );
      for (const value of Object.values(service.environment ?? {})) assert.equal(typeof value, 'string');
    }
  });

  it('has imcd, EventStoreDB 24.10 and MariaDB, each with a health check; imcd waits for both to be healthy', () => {
    assert.deepEqual(Object.keys(compose.services).sort(), ['eventstore', 'imcd', 'mariadb']);
    assert.match(compose.services.eventstore.image, /^eventstore\/eventstore:24\.10/);
    for (const { healthcheck } of Object.values<{ healthcheck: { test: string[] } }>(compose.services)) {
      assert.match(healthcheck.test[0] ?? '', /^CMD(-SHELL)?$/);
    }
    assert.deepEqual(compose.services.imcd.depends_on, {
      eventstore: { condition: 'service_healthy' },
      mariadb: { condition: 'service_healthy' },
    });
  });

  it('runs EventStoreDB as one node, insecure, with projections', () => {
    const { environment } = compose.services.eventstore;
    assert.equal(environment.EVENTSTORE_CLUSTER_SIZE, '1');
    assert.equal(environment.EVENTSTORE_INSECURE, 'true');
    assert.equal(environment.EVENTSTORE_RUN_PROJECTIONS, 'All');
    assert.equal(environment.EVENTSTORE_START_STANDARD_PROJECTIONS, 'true');
  });

  it('publishes on loopback only, SIP over both transports', () => {
    const ports = Object.values<{ ports?: string[] }>(compose.services).flatMap(({ ports }) => ports ?? []);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+\/(udp|tcp)$/);
    assert.deepEqual(compose.services.imcd.ports, ['127.0.0.1:5060:5060/udp', '127.0.0.1:5060:5060/tcp']);
  });

  it('keeps what must be kept: every named volume is declared and mounted', () => {
    const mounted = Object.values<{ volumes: string[] }>(compose.services).flatMap(({ volumes }) =>
      volumes.map((volume) => volume.split(':')[0]),
    );
    assert.deepEqual(mounted.sort(), Object.keys(compose.volumes).sort());
  });

  it('gives imcd a configuration that imcd takes', () => {
    const shown = execFileSync(process.execPath, [join(root, 'src', 'cli.ts'), 'check-config'], {
      env: { PATH: process.env.PATH, IMCD_DATA: '/var/lib/imcd', ...filledIn(compose.services.imcd.environment) },
      encoding: 'utf8',
    });
    assert.match(shown, /esdb:\/\/eventstore:2113\?tls=false/);
    assert.match(shown, /mysql:\/\/imcd/);
  });

  it('lets imcd in to its own network only', () => {
    const [{ subnet }] = compose.networks.default.ipam.config;
    assert.ok(compose.services.imcd.environment.IMCD_TRUSTED.split(',').includes(subnet));
  });
});

describe('Dockerfile', () => {
  const lines = dockerfile.split('\n');
  const of = (instruction: string): string[] =>
    lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));

  it('is of Node 24, runs as a user that is not root, and writes to its volume only', () => {
    for (const from of of('FROM')) assert.match(from, /^node:24-/);
    assert.equal(of('USER').at(-1), 'node');
    assert.ok(dockerfile.indexOf('USER node') > dockerfile.lastIndexOf('RUN '), 'USER comes before the last RUN');
    assert.deepEqual(of('VOLUME'), ['/var/lib/imcd']);
    assert.match(dockerfile, /IMCD_DATA=\/var\/lib\/imcd/);
  });

  it('copies what there is', () => {
    for (const copied of of('COPY').filter((line) => !line.startsWith('--from'))) {
      for (const source of copied.split(' ').slice(0, -1)) assert.ok(existsSync(join(root, source)), source);
    }
    assert.ok(existsSync(join(root, 'scripts', 'build.ts')));
    for (const folder of ['projections', 'schemas']) assert.ok(existsSync(join(root, folder)), folder);
  });

  it('leaves git, data and installed packages outside', () => {
    const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    for (const name of ['.git', 'node_modules', 'imcd-data']) assert.ok(ignored.includes(name), name);
    for (const name of ['src', 'scripts', 'projections', 'schemas', 'package-lock.json', 'tsconfig.json'])
      assert.ok(!ignored.includes(name), name);
  });
});
