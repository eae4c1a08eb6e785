/** Rules about Redis: it answers, its clock, and who may reach it. */
import type { Rule } from './finding.ts';

/** Above this, Redis's clock should be corrected, in milliseconds: marks and permits expire by Redis's time. */
const SKEW_WARNING_MS = 60_000;

export const redisRule: Rule = ({ redis }) => {
  if (redis === undefined) return [];
  const found = { rule: 'redis', where: 'REDIS_URL' } as const;
  const { answer } = redis;
  if (!answer.ok) {
    return [
      {
        ...found,
        severity: 'error',
        what: `Redis cannot be used: ${answer.fault.replace(/\.$/, '')}. Each worker would continue alone, at the rate that it finds by itself`,
        fix: 'correct the address and the password, or find out why Redis does not answer',
      },
    ];
  }
  if (answer.value.replica === true) {
    return [
      {
        ...found,
        severity: 'error',
        what: 'Redis is a replica, which takes no writes: workers could share nothing',
        fix: 'use the address of the primary',
      },
    ];
  }
  return [{ ...found, severity: 'ok', what: 'Redis answers, and runs scripts' }];
};

export const redisClockRule: Rule = ({ redis, clockSkewMs }) => {
  if (redis === undefined || !redis.answer.ok) return [];
  const found = { rule: 'redis-clock', where: "Redis's clock" } as const;
  // If SQS's time is known, this machine's clock does not matter.
  const aheadMs = (clockSkewMs ?? 0) - redis.answer.value.skewMs;
  const other = clockSkewMs === undefined ? 'that of this machine' : 'that of SQS';
  const offMs = Math.abs(aheadMs);
  if (offMs <= SKEW_WARNING_MS) return [{ ...found, severity: 'ok', what: `agrees with ${other}` }];
  return [
    {
      ...found,
      severity: 'warning',
      what: `is ${Math.round(offMs / 1_000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ${other}`,
      fix: 'synchronise it (chrony, ntpd): if it is corrected while workers run, shared permits wait for that long',
    },
  ];
};

export const redisOpenRule: Rule = ({ redis }) => {
  if (redis === undefined) return [];
  const found = { rule: 'redis-open', where: 'REDIS_URL' } as const;
  const open = [...(redis.tls ? [] : ['TLS']), ...(redis.password ? [] : ['password'])];
  if (redis.loopback || open.length === 0) {
    const what = redis.loopback ? 'is on this machine' : 'has TLS and a password';
    return [{ ...found, severity: 'ok', what }];
  }
  const what = `has no ${open.join(' and no ')}: anyone who can reach it can stop every worker, or make workers ignore updates`;
  return [{ ...found, severity: 'warning', what, fix: 'use rediss://user:password@host' }];
};
