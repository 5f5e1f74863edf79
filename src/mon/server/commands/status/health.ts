/** `health`, and what operators do not want to hear of for a while. */
import { Errno } from '../../../../auth/errno.ts';
import { ErrorCode, MsgrError } from '../../../../errors.ts';
import { utimeFromMs, utimeToString } from '../../../../wire/utime.ts';
import type { HealthCheck } from '../../health/health-check.ts';
import type { Health, HealthMute } from '../../health/health-service.ts';
import type { CommandDefinition } from '../command.ts';
import { answer, done, failed, formatJson, isJson } from '../reply.ts';
import { durationText } from '../text.ts';

export const healthCommands: readonly CommandDefinition[] = [
  {
    signature: 'health name=detail,type=CephChoices,strings=detail,req=false',
    help: 'show whether the cluster is well, and what is wrong',
    module: 'mon',
    permissions: 'r',
    run({ args, format, monitor }) {
      const { health } = monitor.health;
      const isDetailed = args.text('detail') === 'detail';
      if (isJson(format)) return answer(formatJson(healthJson(health, isDetailed), format));
      const lines = [
        oneLine(health, monitor.wallMs()),
        ...(isDetailed ? detailLines(health, monitor.wallMs()) : []),
      ];
      return answer(`${lines.join('\n')}\n`);
    },
  },
  {
    signature:
      'health mute name=code,type=CephString name=ttl,type=CephString,req=false name=sticky,type=CephBool,req=false',
    help: 'leave a health check out of the status, for a while or until it changes',
    module: 'mon',
    permissions: 'w',
    async run({ args, monitor }) {
      const code = args.text('code')!;
      const isSticky = args.flag('sticky');
      const check = monitor.health.health.checks.find((candidate) => candidate.code === code);
      if (check === undefined && !isSticky) {
        return failed(Errno.ENOENT, `health alert ${code} is not currently raised`);
      }
      const ttl = args.text('ttl');
      const untilMs = ttl === undefined ? 0 : monitor.wallMs() + parseDurationMs(ttl);
      monitor.health.mute({
        code,
        untilMs,
        isSticky,
        summary: check?.summary ?? '',
        count: check?.count ?? 0,
      });
      await monitor.propose();
      return done();
    },
  },
  {
    signature: 'health unmute name=code,type=CephString,req=false',
    help: 'end one mute, or all of them',
    module: 'mon',
    permissions: 'w',
    async run({ args, monitor }) {
      monitor.health.unmute(args.text('code'));
      await monitor.propose();
      return done();
    },
  },
];

/** `1h`, `30m`, `2d`, `90`; seconds without a unit. */
function parseDurationMs(text: string): number {
  const units: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  const match = /^(\d{1,9}) ?(s|m|h|d|w|)[a-z]*$/.exec(text.trim());
  if (match === null) throw new MsgrError(ErrorCode.InvalidArgument, `not a valid duration: ${text}`);
  return Number(match[1]) * units[match[2]!]! * 1000;
}

export function healthJson({ checks, mutes, status }: Health, isDetailed: boolean): object {
  const checkJson = ({ code, count, detail, severity, summary }: HealthCheck): [string, object] => [
    code,
    {
      severity,
      summary: { message: summary, count },
      ...(isDetailed && { detail: detail.map((message) => ({ message })) }),
      muted: mutes.has(code),
    },
  ];
  return {
    status,
    checks: Object.fromEntries(checks.map(checkJson)),
    mutes: [...mutes.values()].map(muteJson),
  };
}

function muteJson({ code, count, isSticky, summary, untilMs }: HealthMute): object {
  return {
    code,
    ttl: untilMs === 0 ? undefined : utimeToString(utimeFromMs(untilMs)),
    sticky: isSticky,
    summary,
    count,
  };
}

/** Summaries of what is not muted, then what is. */
export function summaries({ checks, mutes }: Health, nowMs: number): string[] {
  const lines = checks.filter(({ code }) => !mutes.has(code)).map(({ summary }) => summary);
  const muted = [...mutes.values()].map(({ code, untilMs }) =>
    untilMs === 0 ? code : `${code}(${durationText(untilMs - nowMs)})`,
  );
  return muted.length === 0 ? lines : [...lines, `(muted: ${muted.join(' ')})`];
}

function oneLine(health: Health, nowMs: number): string {
  const all = summaries(health, nowMs);
  return all.length === 0 ? health.status : `${health.status} ${all.join('; ')}`;
}

function detailLines({ checks, mutes }: Health, nowMs: number): string[] {
  return checks.flatMap(({ code, detail, severity, summary }) => {
    const mute = mutes.get(code);
    return [
      `${mute ? mutedPrefix(mute, nowMs) : ''}[${severity === 'HEALTH_ERR' ? 'ERR' : 'WRN'}] ${code}: ${summary}`,
      ...detail.map((line) => `    ${line}`),
    ];
  });
}

function mutedPrefix({ isSticky, untilMs }: HealthMute, nowMs: number): string {
  const ttl = untilMs === 0 ? '' : ` ttl ${durationText(untilMs - nowMs)}`;
  return `(MUTED${ttl}${isSticky ? ', STICKY' : ''}) `;
}
