/** The JSON output of `configs`, for docs/reference/json.md. */
import { changesJson, diffJson, listJson, showJson } from '../../src/configs/view.ts';
import type { Shape } from './shape.ts';

const configuration = {
  TaskConfigurationId: 'cfgB7',
  Name: 'Slow',
  Description: 'For the night',
  CreatedAt: new Date(Date.UTC(2026, 10, 28, 7)),
  PushConfig: {
    AbortConfig: {
      AbortConfigCriteriaList: [
        { Action: 'CANCEL', FailureType: 'FAILED', MinNumberOfExecutedThings: 50, ThresholdPercentage: 20 },
      ],
    },
    RolloutConfig: { MaximumPerMinute: 100 },
    TimeoutConfig: { InProgressTimeoutInMinutes: 30 },
  },
};
const before = {
  ...configuration,
  TaskConfigurationId: 'cfgA6',
  PushConfig: { ...configuration.PushConfig, RolloutConfig: { MaximumPerMinute: 500 } },
};
const change = { setting: 'MaximumPerMinute', from: '500', to: '100' };

const setting = 'a setting by the name that `configs create --set` has for it';
const from = 'its text before; null where that configuration says nothing of it';
const to = 'its text after, or null';

export const configShapes: readonly Shape[] = [
  {
    title: 'configs list --json',
    about: 'One line for each task configuration.',
    sample: JSON.parse(listJson(configuration)),
    fields: {
      id: 'of the configuration',
      name: 'its name, or null',
      createdAt: 'when it was created, or null',
    },
  },
  {
    title: 'configs show --json',
    sample: JSON.parse(showJson(configuration)),
    fields: {
      id: 'of the configuration',
      name: 'its name, or null',
      description: 'its description, or null',
      createdAt: 'when it was created, or null',
      pushConfig:
        "as the API has it, or null: [the API's page](https://docs.aws.amazon.com/iot-mi/latest/APIReference/API_PushConfig.html)",
    },
  },
  {
    title: 'configs diff --json',
    sample: JSON.parse(diffJson(before, configuration)),
    fields: {
      from: 'the first configuration',
      to: 'the second one',
      same: 'whether they say the same',
      'settings[].setting': setting,
      'settings[].from': from,
      'settings[].to': to,
    },
  },
  {
    title: 'configs create --json',
    sample: { id: 'cfgB7', from: 'cfgA6', settings: changesJson([change]) },
    fields: {
      id: 'of the new configuration',
      from: 'the configuration that it was made from, or null',
      'settings[].setting': setting,
      'settings[].from': from,
      'settings[].to': to,
    },
  },
];
