/** CloudWatch's embedded metric format, as its specification words it, as a JSON Schema (draft 7); the limits are those of CloudWatch. */
const metricName = { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' } as const;

const scale = ['', 'Kilo', 'Mega', 'Giga', 'Tera'];
const amounts = ['Bytes', 'Bits'].flatMap((unit) =>
  scale.map((prefix) => (prefix === '' ? unit : prefix + unit.toLowerCase())),
);

const number = { type: 'number', minimum: -1.174271e108, maximum: 1.174271e108 } as const;

export const emfSchema = {
  type: 'object',
  required: ['_aws'],
  properties: {
    _aws: {
      type: 'object',
      required: ['Timestamp', 'CloudWatchMetrics'],
      properties: {
        // Milliseconds: seconds would be in 1970.
        Timestamp: { type: 'integer', minimum: 1_000_000_000_000, maximum: 9_999_999_999_999 },
        CloudWatchMetrics: {
          type: 'array',
          minItems: 1,
          items: {
            type: 'object',
            required: ['Namespace', 'Dimensions', 'Metrics'],
            additionalProperties: false,
            properties: {
              Namespace: {
                type: 'string',
                minLength: 1,
                maxLength: 255,
                pattern: '^(?!AWS/)[A-Za-z0-9._\\-/#: ]+$',
              },
              Dimensions: {
                type: 'array',
                minItems: 1,
                items: {
                  type: 'array',
                  maxItems: 30,
                  uniqueItems: true,
                  items: { type: 'string', minLength: 1, maxLength: 250, pattern: '^[^:]' },
                },
              },
              Metrics: {
                type: 'array',
                minItems: 1,
                maxItems: 100,
                items: {
                  type: 'object',
                  required: ['Name'],
                  additionalProperties: false,
                  properties: {
                    Name: metricName,
                    Unit: {
                      enum: [
                        ...['Seconds', 'Microseconds', 'Milliseconds', 'Percent', 'Count', 'None'],
                        ...amounts,
                        ...amounts.map((amount) => `${amount}/Second`),
                        'Count/Second',
                      ],
                    },
                    StorageResolution: { enum: [1, 60] },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
  // Targets of a directive are values, lists of at most 100, or the text of a dimension.
  additionalProperties: {
    anyOf: [
      number,
      { type: 'array', maxItems: 100, items: number },
      { type: 'string', minLength: 1, maxLength: 1_024, pattern: '^[\\x20-\\x7e]+$' },
    ],
  },
} as const;
