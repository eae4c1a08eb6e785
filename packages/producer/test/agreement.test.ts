import { expect, test } from 'vitest';
import { parseBody } from '../../../src/message/parse.ts';
import { allCases } from '../../../testing/cases.ts';
import { contractCorpus, corpusNow, corpusTime } from '../../../testing/contract/corpus.ts';
import { faultOf } from '../src/index.ts';

test.each([
  ['when no time is too late', corpusTime],
  ['when many are as late as they may be', corpusNow],
])('says of bodies near the boundary what the worker says, %s', (_, time) => {
  const disagreed = contractCorpus(allCases() ? 10_000 : 3_000).filter(
    (body) => parseBody(body, time).ok !== (faultOf(JSON.parse(body), time) === undefined),
  );
  expect(disagreed).toEqual([]);
});
