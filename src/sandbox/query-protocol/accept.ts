/** Adds the query protocol to an SQS emulator that only supports the JSON protocol. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { giveBack, isAborted } from '../aborted-receives.ts';
import { toXml } from './answer.ts';
import { readQuery } from './request.ts';

/**
 * Call this before the server listens. Forms for other services (SNS, STS) are not affected.
 * @param app parses forms to objects of texts, and accepts the JSON protocol at `/`.
 */
export function acceptQueryProtocol(app: FastifyInstance): void {
  app.addHook('preHandler', async (request, reply) => {
    if (!(request.headers['content-type'] ?? '').includes('x-www-form-urlencoded')) return;
    const query = readQuery(request.body as Readonly<Record<string, string>>);
    if (query === undefined) return;
    const { action, input } = query;
    // Some clients name the queue only by the path.
    const own = `${request.protocol}://${request.headers.host ?? ''}`;
    const named = request.url === '/' ? {} : { QueueUrl: `${own}${request.url}` };
    const answered = await app.inject({
      method: 'POST',
      url: '/',
      headers: {
        host: request.headers.host ?? '',
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `AmazonSQS.${action}`,
      },
      payload: JSON.stringify({ ...named, ...input }),
    });
    const answer = answered.body === '' ? {} : JSON.parse(answered.body);
    if (action === 'ReceiveMessage' && isAborted(request))
      await giveBack(app, { ...named, ...input }.QueueUrl, answer);
    const queryError = answered.headers['x-amzn-query-error'];
    const requestId = randomUUID();
    const { status, body } = toXml(
      action,
      {
        status: answered.statusCode,
        body: answer,
        queryError: typeof queryError === 'string' ? queryError : undefined,
      },
      requestId,
    );
    return reply
      .code(status)
      .header('content-type', 'text/xml')
      .header('x-amzn-requestid', requestId)
      .send(body);
  });
}
