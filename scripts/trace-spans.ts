/**
 * Prints the trace of one message from its producer through a dead letter and a redrive to its end, as a collector received it.
 */
import { spanTree } from '../testing/otlp/spans.ts';
import { tellStory } from '../testing/otlp/story.ts';

const { spans, traceId } = await tellStory();
process.stdout.write(`${spanTree(spans.filter((span) => span.traceId === traceId))}\n`);
process.stdout.write('\nIn traces of their own, linked to it:\n\n');
process.stdout.write(`${spanTree(spans.filter((span) => span.traceId !== traceId))}\n`);
