import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The processes that a test file has started, found by descent, by process group, and by a mark in their environment. */

/** Variable that every process below a test file inherits, unless it is given an environment of its own. */
export const markName = 'TEST_FILE_MARK';

export interface Started {
  readonly pid: number;
  readonly command: string;
}

interface Row extends Started {
  readonly parent: number;
  readonly group: number;
}

const table = (): readonly Row[] =>
  spawnSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,args='], { encoding: 'utf8', maxBuffer: 2 ** 24 })
    .stdout.split('\n')
    .flatMap((line) => {
      const [, pid, parent, group, command = ''] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
      return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), group: Number(group), command }];
    });

/** Whether a process bears the mark; false where its environment cannot be read (another system, another user). */
const bears = (pid: number, mark: string): boolean => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${markName}=${mark}\0`);
  } catch {
    return false;
  }
};

/** All that a process (the leader of its group) has started and that still runs, without itself. */
export const startedBy = (leader: number, mark: string): readonly Started[] => {
  const rows = table();
  const found = new Set([leader]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const { pid, parent, group } of rows) if (found.has(parent) || group === leader) found.add(pid);
  }
  for (const { pid } of rows) if (!found.has(pid) && bears(pid, mark)) found.add(pid);
  found.delete(leader);
  // A zombie has ended; nobody has asked for its exit code yet.
  return rows.filter(({ pid, command }) => found.has(pid) && !/^ps -A |<defunct>$/.test(command));
};

/** Ends processes at once. */
export const endAll = (pids: readonly number[]): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      const gone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
      if (!gone) throw error;
    }
  }
};
