import { spawn } from 'node:child_process';
import type { Log } from '../../ports/log.ts';

/**
 * Tells systemd (`Type=notify`), where it asked by NOTIFY_SOCKET. Node has no Unix datagram sockets, so systemd's own program
 * does it, a process of its own: the unit needs `NotifyAccess=all`.
 */
export const notifySystemd = (state: 'READY=1' | 'STOPPING=1', log: Log): void => {
  if (process.env.NOTIFY_SOCKET === undefined || process.env.NOTIFY_SOCKET === '') return;
  const child = spawn('systemd-notify', [state], { stdio: 'ignore' });
  child.on('error', (error) => {
    log.warn({ state, error: error.message }, 'systemd could not be told: the program systemd-notify cannot be run');
  });
  child.on('exit', (code) => {
    if (code !== 0) log.warn({ state, code }, 'systemd could not be told: systemd-notify failed');
  });
};
