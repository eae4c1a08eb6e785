/** Answers of SNS (query protocol) and EventBridge (JSON 1.1), according to their API references. */
import type { StandInAnswer, TakenRequest } from './stand-in.ts';

const xml = { 'content-type': 'text/xml', 'x-amzn-requestid': 'sns-request' };
const namespace = 'http://sns.amazonaws.com/doc/2010-03-31/';

export const snsTaken: StandInAnswer = {
  status: 200,
  headers: xml,
  body:
    `<PublishResponse xmlns="${namespace}"><PublishResult><MessageId>11111111-2222-3333-4444-555555555555</MessageId>` +
    `</PublishResult><ResponseMetadata><RequestId>sns-request</RequestId></ResponseMetadata></PublishResponse>`,
};

export function snsError(status: number, code: string, message: string): StandInAnswer {
  const type = status >= 500 ? 'Receiver' : 'Sender';
  return {
    status,
    headers: xml,
    body:
      `<ErrorResponse xmlns="${namespace}"><Error><Type>${type}</Type><Code>${code}</Code><Message>${message}</Message></Error>` +
      `<RequestId>sns-request</RequestId></ErrorResponse>`,
  };
}

/** The fields of a request of the query protocol; lists and maps by AWS's numbered names. */
export function snsInput({ body }: TakenRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(body));
}

const json = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'events-request' };

export function eventsTaken(): StandInAnswer {
  return answerOf(200, {
    FailedEntryCount: 0,
    Entries: [{ EventId: '11710aed-b79e-4468-a20b-bb3c0c3b4860' }],
  });
}

/** A request that is answered with 200, but whose only entry was not accepted. */
export function eventRefused(code: string, message: string): StandInAnswer {
  return answerOf(200, { FailedEntryCount: 1, Entries: [{ ErrorCode: code, ErrorMessage: message }] });
}

export function eventsError(status: number, name: string, message: string): StandInAnswer {
  return answerOf(status, { __type: name, message });
}

function answerOf(status: number, output: unknown): StandInAnswer {
  return { status, headers: json, body: JSON.stringify(output) };
}
