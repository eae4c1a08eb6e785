/** Which resource of the module is which of the template, and which of their values are the same. */

export interface Pair {
  /** `TYPE.NAME` in the module. */
  readonly tf: string;
  /** The logical ids in the template. */
  readonly cfn: readonly string[];
  /** The template's path, and the module's. */
  readonly same?: Readonly<Record<string, string>>;
  /** What stands in the template only, or is said in other words: patterns of paths. */
  readonly other?: readonly RegExp[];
}

const queue = {
  MaximumMessageSize: 'max_message_size',
  MessageRetentionPeriod: 'message_retention_seconds',
  QueueName: 'name',
  ReceiveMessageWaitTimeSeconds: 'receive_wait_time_seconds',
};
const service = {
  'DeploymentConfiguration.DeploymentCircuitBreaker.Enable': 'deployment_circuit_breaker.0.enable',
  'DeploymentConfiguration.DeploymentCircuitBreaker.Rollback': 'deployment_circuit_breaker.0.rollback',
  'DeploymentConfiguration.MaximumPercent': 'deployment_maximum_percent',
  'DeploymentConfiguration.MinimumHealthyPercent': 'deployment_minimum_healthy_percent',
  LaunchType: 'launch_type',
};
// As it is without being said.
const serviceDefaults = [
  /^DeploymentConfiguration\.Alarms/,
  /^DeploymentController/,
  /^EnableECSManagedTags/,
];
/** Compared by their edges. */
const group = [/^SecurityGroup(In|E)gress/];
/** Compared as a whole. */
const trust = [/^AssumeRolePolicyDocument/];
const task = [/./];
const alarm = {
  Namespace: 'namespace',
  MetricName: 'metric_name',
  Statistic: 'statistic',
  Period: 'period',
  EvaluationPeriods: 'evaluation_periods',
  Threshold: 'threshold',
  ComparisonOperator: 'comparison_operator',
  TreatMissingData: 'treat_missing_data',
  AlarmName: 'alarm_name',
  AlarmDescription: 'alarm_description',
};
/** Compared by its key in the module's map. */
const dimension = [/^Dimensions/];

export const pairs: readonly Pair[] = [
  {
    tf: 'aws_sqs_queue.updates',
    cfn: ['QueuesUpdates'],
    same: { ...queue, VisibilityTimeout: 'visibility_timeout_seconds' },
    other: [/^RedrivePolicy/],
  },
  { tf: 'aws_sqs_queue.dead_letters', cfn: ['QueuesDeadLetters'], same: queue },
  { tf: 'aws_sqs_queue.outcomes', cfn: ['QueuesOutcomes'], same: queue },
  {
    tf: 'aws_sqs_queue_policy.this',
    cfn: ['QueuesUpdatesPolicy', 'QueuesDeadLettersPolicy', 'QueuesOutcomesPolicy'],
    other: [/./],
  },
  { tf: 'aws_iam_role.worker', cfn: ['WorkerTaskTaskRole'], other: trust },
  { tf: 'aws_iam_role.worker_execution', cfn: ['WorkerTaskExecutionRole'], other: trust },
  { tf: 'aws_iam_role.console', cfn: ['ConsoleServiceTaskTaskRole'], other: trust },
  { tf: 'aws_iam_role.console_execution', cfn: ['ConsoleServiceTaskExecutionRole'], other: trust },
  { tf: 'aws_iam_role.enqueuer', cfn: ['Enqueuer'], same: { Description: 'description' }, other: trust },
  { tf: 'aws_iam_role.operator', cfn: ['Operator'], same: { Description: 'description' }, other: trust },
  { tf: 'aws_iam_role_policy.worker', cfn: ['WorkerTaskTaskRoleDefaultPolicy'], other: [/./] },
  { tf: 'aws_iam_role_policy.worker_execution', cfn: ['WorkerTaskExecutionRoleDefaultPolicy'], other: [/./] },
  { tf: 'aws_iam_role_policy.console', cfn: ['ConsoleServiceTaskTaskRoleDefaultPolicy'], other: [/./] },
  {
    tf: 'aws_iam_role_policy.console_execution',
    cfn: ['ConsoleServiceTaskExecutionRoleDefaultPolicy'],
    other: [/./],
  },
  { tf: 'aws_iam_role_policy.enqueuer', cfn: ['EnqueuerDefaultPolicy'], other: [/./] },
  { tf: 'aws_iam_role_policy.operator', cfn: ['OperatorDefaultPolicy'], other: [/./] },
  { tf: 'aws_ecs_cluster.this', cfn: ['Cluster'] },
  {
    tf: 'aws_cloudwatch_log_group.worker',
    cfn: ['WorkerLog'],
    same: { RetentionInDays: 'retention_in_days' },
  },
  {
    tf: 'aws_cloudwatch_log_group.console',
    cfn: ['ConsoleServiceLog'],
    same: { RetentionInDays: 'retention_in_days' },
  },
  { tf: 'aws_ecs_task_definition.worker', cfn: ['WorkerTask'], other: task },
  { tf: 'aws_ecs_task_definition.console', cfn: ['ConsoleServiceTask'], other: task },
  { tf: 'aws_ecs_service.worker', cfn: ['WorkerService'], same: service, other: serviceDefaults },
  {
    tf: 'aws_ecs_service.console',
    cfn: ['ConsoleService'],
    same: {
      ...service,
      DesiredCount: 'desired_count',
      HealthCheckGracePeriodSeconds: 'health_check_grace_period_seconds',
      'LoadBalancers.0.ContainerName': 'load_balancer.0.container_name',
      'LoadBalancers.0.ContainerPort': 'load_balancer.0.container_port',
    },
    other: serviceDefaults,
  },
  {
    tf: 'aws_security_group.worker',
    cfn: ['WorkerSecurityGroup'],
    same: { GroupDescription: 'description' },
    other: group,
  },
  {
    tf: 'aws_security_group.console',
    cfn: ['ConsoleServiceSecurityGroup'],
    same: { GroupDescription: 'description' },
    other: group,
  },
  {
    tf: 'aws_security_group.access',
    cfn: ['ConsoleAccess'],
    same: { GroupDescription: 'description' },
    other: group,
  },
  {
    tf: 'aws_security_group.state',
    cfn: ['ConsoleStateAccess'],
    same: { GroupDescription: 'description' },
    other: group,
  },
  {
    tf: 'aws_security_group.ledger',
    cfn: ['LedgerSecurityGroup'],
    same: { GroupDescription: 'description' },
    other: group,
  },
  {
    tf: 'aws_security_group.valkey',
    cfn: ['SharedSecurityGroup'],
    same: { GroupDescription: 'description' },
    other: group,
  },
  {
    tf: 'aws_secretsmanager_secret.ledger',
    cfn: ['LedgerSecret'],
    same: { Description: 'description' },
    other: [/^GenerateSecretString/],
  },
  {
    tf: 'aws_secretsmanager_secret.valkey_token',
    cfn: ['SharedToken'],
    same: { Description: 'description' },
    other: [/^GenerateSecretString/],
  },
  { tf: 'aws_secretsmanager_secret.valkey_url', cfn: ['SharedUrl'], same: { Description: 'description' } },
  {
    tf: 'aws_db_subnet_group.ledger',
    cfn: ['LedgerSubnets'],
    same: { DBSubnetGroupDescription: 'description' },
  },
  {
    tf: 'aws_db_instance.ledger',
    cfn: ['LedgerDatabase'],
    same: {
      AllocatedStorage: 'allocated_storage',
      BackupRetentionPeriod: 'backup_retention_period',
      CopyTagsToSnapshot: 'copy_tags_to_snapshot',
      DBInstanceClass: 'instance_class',
      DBName: 'db_name',
      DeletionProtection: 'deletion_protection',
      Engine: 'engine',
      EngineVersion: 'engine_version',
      PubliclyAccessible: 'publicly_accessible',
      StorageEncrypted: 'storage_encrypted',
      StorageType: 'storage_type',
    },
  },
  { tf: 'aws_elasticache_subnet_group.valkey', cfn: ['SharedSubnets'], same: { Description: 'description' } },
  {
    tf: 'aws_elasticache_replication_group.valkey',
    cfn: ['SharedValkey'],
    same: {
      AtRestEncryptionEnabled: 'at_rest_encryption_enabled',
      AutomaticFailoverEnabled: 'automatic_failover_enabled',
      CacheNodeType: 'node_type',
      Engine: 'engine',
      EngineVersion: 'engine_version',
      NumCacheClusters: 'num_cache_clusters',
      ReplicationGroupDescription: 'description',
      TransitEncryptionEnabled: 'transit_encryption_enabled',
      TransitEncryptionMode: 'transit_encryption_mode',
    },
  },
  {
    tf: 'aws_efs_file_system.state',
    cfn: ['ConsoleState'],
    same: { Encrypted: 'encrypted' },
    other: [/^FileSystemTags/],
  },
  { tf: 'aws_efs_mount_target.state', cfn: ['ConsoleStateEfsMountTarget1', 'ConsoleStateEfsMountTarget2'] },
  {
    tf: 'aws_efs_access_point.state',
    cfn: ['ConsoleStateFolder'],
    same: {
      'PosixUser.Gid': 'posix_user.0.gid',
      'PosixUser.Uid': 'posix_user.0.uid',
      'RootDirectory.CreationInfo.OwnerGid': 'root_directory.0.creation_info.0.owner_gid',
      'RootDirectory.CreationInfo.OwnerUid': 'root_directory.0.creation_info.0.owner_uid',
      'RootDirectory.CreationInfo.Permissions': 'root_directory.0.creation_info.0.permissions',
      'RootDirectory.Path': 'root_directory.0.path',
    },
    other: [/^AccessPointTags/],
  },
  {
    tf: 'aws_lb.console',
    cfn: ['ConsoleLoadBalancer'],
    same: {
      Type: 'load_balancer_type',
      'LoadBalancerAttributes.1.Value': 'idle_timeout',
      'LoadBalancerAttributes.2.Value': 'drop_invalid_header_fields',
    },
    other: [/^Scheme/, /\.Key$/, /^LoadBalancerAttributes\.0/],
  },
  {
    tf: 'aws_lb_target_group.console',
    cfn: ['ConsoleTarget'],
    same: {
      HealthCheckPath: 'health_check.0.path',
      'Matcher.HttpCode': 'health_check.0.matcher',
      Port: 'port',
      Protocol: 'protocol',
      TargetType: 'target_type',
      'TargetGroupAttributes.0.Value': 'deregistration_delay',
    },
    other: [/\.Key$/, /^TargetGroupAttributes\.1/],
  },
  {
    tf: 'aws_lb_listener.console',
    cfn: ['ConsoleLoadBalancerHttps'],
    same: {
      'DefaultActions.0.Type': 'dynamic.default_action.0.content.0.type',
      'DefaultActions.0.Order': 'dynamic.default_action.0.content.0.order',
      'DefaultActions.1.Type': 'default_action.0.type',
      'DefaultActions.1.Order': 'default_action.0.order',
      Port: 'port',
      Protocol: 'protocol',
      SslPolicy: 'ssl_policy',
    },
  },
  { tf: 'aws_service_discovery_private_dns_namespace.this', cfn: ['Namespace'], same: { Name: 'name' } },
  {
    tf: 'aws_service_discovery_service.worker',
    cfn: ['WorkerServiceCloudmapService'],
    same: {
      Name: 'name',
      'DnsConfig.DnsRecords.0.TTL': 'dns_config.0.dns_records.0.ttl',
      'DnsConfig.DnsRecords.0.Type': 'dns_config.0.dns_records.0.type',
      'DnsConfig.RoutingPolicy': 'dns_config.0.routing_policy',
      'HealthCheckCustomConfig.FailureThreshold': 'health_check_custom_config.0.failure_threshold',
    },
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.oldest_update',
    cfn: ['AlarmsOldestUpdate'],
    same: alarm,
    other: dimension,
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.dead_letters',
    cfn: ['AlarmsDeadLetters'],
    same: alarm,
    other: dimension,
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.calls_paused',
    cfn: ['AlarmsCallsPaused'],
    same: alarm,
    other: dimension,
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.poll_stalled',
    cfn: ['AlarmsPollStalled'],
    same: alarm,
    other: dimension,
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.retention_used',
    cfn: ['AlarmsRetentionUsed'],
    same: alarm,
    other: dimension,
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.workers_silent',
    cfn: ['AlarmsWorkersSilent'],
    same: alarm,
    other: dimension,
  },
];

/** The module's only: what the template's resources do by themselves. */
export const onlyTerraform: readonly string[] = [
  'random_password.ledger',
  'random_password.valkey',
  'aws_secretsmanager_secret_version.ledger',
  'aws_secretsmanager_secret_version.valkey_token',
  'aws_secretsmanager_secret_version.valkey_url',
];

/** The template's only: CDK writes the database's address into its secret, which nobody reads here. */
export const onlyCloudFormation: readonly string[] = ['LedgerSecretAttachment'];
