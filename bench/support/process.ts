import { readdirSync, readFileSync } from 'node:fs';

/** What a process and its threads have used so far, from /proc (Linux). */
export interface Usage {
  /** CPU time of all threads that live, nanosecond counts. */
  readonly cpuSeconds: number;
  readonly residentMb: number;
}

export const usageOf = (pid: number): Usage => {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  const resident = /VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { cpuSeconds: nanoseconds / 1e9, residentMb: Math.round(Number(resident ?? 0) / 1_024) };
};

/** The value at a fraction of a sorted list. */
export const quantile = (sorted: readonly number[], fraction: number): number =>
  sorted[Math.floor((sorted.length - 1) * fraction)] ?? Number.NaN;
