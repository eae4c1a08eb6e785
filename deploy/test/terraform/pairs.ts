/** Which resource of the module is which of the template, and which of their values are the same. */

export interface Pair {
  /** `TYPE.NAME` in the module. */
  readonly tf: string;
  /** The logical ids in the template. */
  readonly cfn: readonly string[];
  /** The template's path, and the module's. */
  readonly same?: Readonly<Record<string, string>>;
  /** What stands in the template only, or is compared elsewhere: patterns of paths. */
  readonly other?: readonly RegExp[];
  /** The same of the module. */
  readonly own?: readonly RegExp[];
}

const queue = {
  MaximumMessageSize: 'max_message_size',
  MessageRetentionPeriod: 'message_retention_seconds',
  QueueName: 'name',
  ReceiveMessageWaitTimeSeconds: 'receive_wait_time_seconds',
  KmsMasterKeyId: 'kms_master_key_id',
};
/** What is chosen without a key, and by `fifo`. */
const queueChoices = [/^sqs_managed_sse_enabled$/, /^fifo_queue$/];
const service = {
  'DeploymentConfiguration.DeploymentCircuitBreaker.Enable': 'deployment_circuit_breaker.0.enable',
  'DeploymentConfiguration.DeploymentCircuitBreaker.Rollback': 'deployment_circuit_breaker.0.rollback',
  'DeploymentConfiguration.MaximumPercent': 'deployment_maximum_percent',
  'DeploymentConfiguration.MinimumHealthyPercent': 'deployment_minimum_healthy_percent',
  LaunchType: 'launch_type',
  Cluster: 'cluster',
  DesiredCount: 'desired_count',
  TaskDefinition: 'task_definition',
  'NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp': 'network_configuration.0.assign_public_ip',
  'NetworkConfiguration.AwsvpcConfiguration.SecurityGroups.0': 'network_configuration.0.security_groups.0',
  'NetworkConfiguration.AwsvpcConfiguration.Subnets.0': 'network_configuration.0.subnets',
  'NetworkConfiguration.AwsvpcConfiguration.Subnets.1': 'network_configuration.0.subnets',
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
const ownTrust = [/^assume_role_policy$/];
const policy = [/./];
const task = {
  Cpu: 'cpu',
  ExecutionRoleArn: 'execution_role_arn',
  Memory: 'memory',
  NetworkMode: 'network_mode',
  'RequiresCompatibilities.0': 'requires_compatibilities.0',
  'RuntimePlatform.CpuArchitecture': 'runtime_platform.0.cpu_architecture',
  'RuntimePlatform.OperatingSystemFamily': 'runtime_platform.0.operating_system_family',
  TaskRoleArn: 'task_role_arn',
};
/** Compared one by one. */
const containers = [/^ContainerDefinitions/, /^Family$/];
const ownContainers = [/^container_definitions$/];
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
  'AlarmActions.0': 'alarm_actions',
  'OKActions.0': 'ok_actions',
};
const sqsAlarm = { ...alarm, 'Dimensions.0.Value': 'dimensions.QueueName' };
const ownAlarm = { ...alarm, 'Dimensions.0.Value': 'dimensions.Queue' };
/** Compared by its key in the module's map. */
const dimension = [/^Dimensions\.0\.Name$/];
/** CloudFormation gives names by itself. */
const itsName = [/^name$/];
const subnetIds = { 'SubnetIds.0': 'subnet_ids', 'SubnetIds.1': 'subnet_ids' };

export const pairs: readonly Pair[] = [
  {
    tf: 'aws_sqs_queue.updates',
    cfn: ['QueuesUpdates'],
    same: {
      ...queue,
      VisibilityTimeout: 'visibility_timeout_seconds',
      'RedrivePolicy.deadLetterTargetArn': 'redrive_policy.deadLetterTargetArn',
      'RedrivePolicy.maxReceiveCount': 'redrive_policy.maxReceiveCount',
    },
    own: queueChoices,
  },
  { tf: 'aws_sqs_queue.dead_letters', cfn: ['QueuesDeadLetters'], same: queue, own: queueChoices },
  { tf: 'aws_sqs_queue.outcomes', cfn: ['QueuesOutcomes'], same: queue, own: queueChoices },
  {
    tf: 'aws_sqs_queue_policy.this',
    cfn: ['QueuesUpdatesPolicy', 'QueuesDeadLettersPolicy', 'QueuesOutcomesPolicy'],
    other: [/./],
    own: [/./],
  },
  { tf: 'aws_iam_role.worker', cfn: ['WorkerTaskTaskRole'], other: trust, own: ownTrust },
  { tf: 'aws_iam_role.worker_execution', cfn: ['WorkerTaskExecutionRole'], other: trust, own: ownTrust },
  { tf: 'aws_iam_role.console', cfn: ['ConsoleServiceTaskTaskRole'], other: trust, own: ownTrust },
  {
    tf: 'aws_iam_role.console_execution',
    cfn: ['ConsoleServiceTaskExecutionRole'],
    other: trust,
    own: ownTrust,
  },
  {
    tf: 'aws_iam_role.enqueuer',
    cfn: ['Enqueuer'],
    same: { Description: 'description' },
    other: trust,
    own: ownTrust,
  },
  {
    tf: 'aws_iam_role.operator',
    cfn: ['Operator'],
    same: { Description: 'description' },
    other: trust,
    own: ownTrust,
  },
  { tf: 'aws_iam_role_policy.worker', cfn: ['WorkerTaskTaskRoleDefaultPolicy'], other: policy, own: policy },
  {
    tf: 'aws_iam_role_policy.worker_execution',
    cfn: ['WorkerTaskExecutionRoleDefaultPolicy'],
    other: policy,
    own: policy,
  },
  {
    tf: 'aws_iam_role_policy.console',
    cfn: ['ConsoleServiceTaskTaskRoleDefaultPolicy'],
    other: policy,
    own: policy,
  },
  {
    tf: 'aws_iam_role_policy.console_execution',
    cfn: ['ConsoleServiceTaskExecutionRoleDefaultPolicy'],
    other: policy,
    own: policy,
  },
  { tf: 'aws_iam_role_policy.enqueuer', cfn: ['EnqueuerDefaultPolicy'], other: policy, own: policy },
  { tf: 'aws_iam_role_policy.operator', cfn: ['OperatorDefaultPolicy'], other: policy, own: policy },
  { tf: 'aws_ecs_cluster.this', cfn: ['Cluster'], own: itsName },
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
  {
    tf: 'aws_ecs_task_definition.worker',
    cfn: ['WorkerTask'],
    same: task,
    other: containers,
    own: ownContainers,
  },
  {
    tf: 'aws_ecs_task_definition.console',
    cfn: ['ConsoleServiceTask'],
    same: {
      ...task,
      'Volumes.0.Name': 'volume.0.name',
      'Volumes.0.EFSVolumeConfiguration.AuthorizationConfig.AccessPointId':
        'volume.0.efs_volume_configuration.0.authorization_config.0.access_point_id',
      'Volumes.0.EFSVolumeConfiguration.AuthorizationConfig.IAM':
        'volume.0.efs_volume_configuration.0.authorization_config.0.iam',
      'Volumes.0.EFSVolumeConfiguration.FilesystemId': 'volume.0.efs_volume_configuration.0.file_system_id',
      'Volumes.0.EFSVolumeConfiguration.TransitEncryption':
        'volume.0.efs_volume_configuration.0.transit_encryption',
    },
    other: containers,
    own: ownContainers,
  },
  {
    tf: 'aws_ecs_service.worker',
    cfn: ['WorkerService'],
    same: {
      ...service,
      'ServiceRegistries.0.RegistryArn': 'dynamic.service_registries.0.content.0.registry_arn',
    },
    other: serviceDefaults,
    own: itsName,
  },
  {
    tf: 'aws_ecs_service.console',
    cfn: ['ConsoleService'],
    same: {
      ...service,
      HealthCheckGracePeriodSeconds: 'health_check_grace_period_seconds',
      'LoadBalancers.0.ContainerName': 'load_balancer.0.container_name',
      'LoadBalancers.0.ContainerPort': 'load_balancer.0.container_port',
      'LoadBalancers.0.TargetGroupArn': 'load_balancer.0.target_group_arn',
    },
    other: serviceDefaults,
    own: itsName,
  },
  {
    tf: 'aws_security_group.worker',
    cfn: ['WorkerSecurityGroup'],
    same: { GroupDescription: 'description', VpcId: 'vpc_id' },
    other: group,
  },
  {
    tf: 'aws_security_group.console',
    cfn: ['ConsoleServiceSecurityGroup'],
    same: { GroupDescription: 'description', VpcId: 'vpc_id' },
    other: group,
  },
  {
    tf: 'aws_security_group.access',
    cfn: ['ConsoleAccess'],
    same: { GroupDescription: 'description', VpcId: 'vpc_id' },
    other: group,
  },
  {
    tf: 'aws_security_group.state',
    cfn: ['ConsoleStateAccess'],
    same: { GroupDescription: 'description', VpcId: 'vpc_id' },
    other: group,
  },
  {
    tf: 'aws_security_group.ledger',
    cfn: ['LedgerSecurityGroup'],
    same: { GroupDescription: 'description', VpcId: 'vpc_id' },
    other: group,
  },
  {
    tf: 'aws_security_group.valkey',
    cfn: ['SharedSecurityGroup'],
    same: { GroupDescription: 'description', VpcId: 'vpc_id' },
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
  {
    tf: 'aws_secretsmanager_secret.valkey_url',
    cfn: ['SharedUrl'],
    same: { Description: 'description' },
    other: [/^SecretString$/],
  },
  {
    tf: 'aws_secretsmanager_secret_version.valkey_url',
    cfn: ['SharedUrl'],
    same: { SecretString: 'secret_string' },
    other: [/^Description$/],
    own: [/^secret_id$/],
  },
  {
    tf: 'aws_db_subnet_group.ledger',
    cfn: ['LedgerSubnets'],
    same: { DBSubnetGroupDescription: 'description', ...subnetIds },
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
      DBSubnetGroupName: 'db_subnet_group_name',
      MasterUserPassword: 'password',
      'VPCSecurityGroups.0': 'vpc_security_group_ids.0',
    },
    // A reference to the secret there; compared with what the secret is made with.
    other: [/^MasterUsername$/],
    own: [/^username$/],
  },
  {
    tf: 'aws_elasticache_subnet_group.valkey',
    cfn: ['SharedSubnets'],
    same: { Description: 'description', ...subnetIds },
    own: itsName,
  },
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
      AuthToken: 'auth_token',
      CacheSubnetGroupName: 'subnet_group_name',
      'SecurityGroupIds.0': 'security_group_ids.0',
    },
  },
  {
    tf: 'aws_efs_file_system.state',
    cfn: ['ConsoleState'],
    same: { Encrypted: 'encrypted' },
    other: [/^FileSystemTags/],
  },
  {
    tf: 'aws_efs_mount_target.state',
    cfn: ['ConsoleStateEfsMountTarget1', 'ConsoleStateEfsMountTarget2'],
    same: {
      FileSystemId: 'file_system_id',
      'SecurityGroups.0': 'security_groups.0',
      SubnetId: 'subnet_id',
    },
  },
  {
    tf: 'aws_efs_access_point.state',
    cfn: ['ConsoleStateFolder'],
    same: {
      FileSystemId: 'file_system_id',
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
      'SecurityGroups.0': 'security_groups.0',
      'Subnets.0': 'subnets',
      'Subnets.1': 'subnets',
    },
    // `internet-facing` is `internal = false`.
    other: [/^Scheme/, /\.Key$/, /^LoadBalancerAttributes\.0/],
    own: [/^internal$/],
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
      VpcId: 'vpc_id',
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
      ...Object.fromEntries(
        [
          ['AuthorizationEndpoint', 'authorization_endpoint'],
          ['ClientId', 'client_id'],
          ['ClientSecret', 'client_secret'],
          ['Issuer', 'issuer'],
          ['TokenEndpoint', 'token_endpoint'],
          ['UserInfoEndpoint', 'user_info_endpoint'],
        ].map(([theirs, mine]) => [
          `DefaultActions.0.AuthenticateOidcConfig.${theirs}`,
          `dynamic.default_action.0.content.0.authenticate_oidc.0.${mine}`,
        ]),
      ),
      'Certificates.0.CertificateArn': 'certificate_arn',
      'DefaultActions.1.TargetGroupArn': 'default_action.0.target_group_arn',
      LoadBalancerArn: 'load_balancer_arn',
      Port: 'port',
      Protocol: 'protocol',
      SslPolicy: 'ssl_policy',
    },
  },
  {
    tf: 'aws_service_discovery_private_dns_namespace.this',
    cfn: ['Namespace'],
    same: { Name: 'name', Vpc: 'vpc' },
  },
  {
    tf: 'aws_service_discovery_service.worker',
    cfn: ['WorkerServiceCloudmapService'],
    same: {
      Name: 'name',
      'DnsConfig.DnsRecords.0.TTL': 'dns_config.0.dns_records.0.ttl',
      'DnsConfig.DnsRecords.0.Type': 'dns_config.0.dns_records.0.type',
      'DnsConfig.RoutingPolicy': 'dns_config.0.routing_policy',
      'DnsConfig.NamespaceId': 'dns_config.0.namespace_id',
      NamespaceId: 'dns_config.0.namespace_id',
      'HealthCheckCustomConfig.FailureThreshold': 'health_check_custom_config.0.failure_threshold',
    },
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.oldest_update',
    cfn: ['AlarmsOldestUpdate'],
    same: sqsAlarm,
    other: dimension,
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.dead_letters',
    cfn: ['AlarmsDeadLetters'],
    same: sqsAlarm,
    other: dimension,
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.calls_paused',
    cfn: ['AlarmsCallsPaused'],
    same: ownAlarm,
    other: dimension,
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.poll_stalled',
    cfn: ['AlarmsPollStalled'],
    same: ownAlarm,
    other: dimension,
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.retention_used',
    cfn: ['AlarmsRetentionUsed'],
    same: ownAlarm,
    other: dimension,
  },
  {
    tf: 'aws_cloudwatch_metric_alarm.workers_silent',
    cfn: ['AlarmsWorkersSilent'],
    same: ownAlarm,
    other: dimension,
  },
];

/** The module's only: what the template's resources do by themselves. */
export const onlyTerraform: readonly string[] = [
  'random_password.ledger',
  'random_password.valkey',
  'aws_secretsmanager_secret_version.ledger',
  'aws_secretsmanager_secret_version.valkey_token',
];

/** The template's only: CDK writes the database's address into its secret, which nobody reads here. */
export const onlyCloudFormation: readonly string[] = ['LedgerSecretAttachment'];
