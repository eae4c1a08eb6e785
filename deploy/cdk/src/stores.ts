/** PostgreSQL for the ledger of jobs, and Valkey for what workers share. */
import { Duration, Fn, RemovalPolicy, SecretValue } from 'aws-cdk-lib';
import {
  InstanceClass,
  InstanceSize,
  InstanceType,
  type ISecurityGroup,
  Port,
  SecurityGroup,
} from 'aws-cdk-lib/aws-ec2';
import { Secret as ContainerSecret } from 'aws-cdk-lib/aws-ecs';
import { CfnReplicationGroup, CfnSubnetGroup } from 'aws-cdk-lib/aws-elasticache';
import {
  Credentials,
  DatabaseInstance,
  DatabaseInstanceEngine,
  PostgresEngineVersion,
  StorageType,
  SubnetGroup,
} from 'aws-cdk-lib/aws-rds';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Place } from './fargate.ts';

const DATABASE = 'ota_updater';
const PORT = Port.tcp(5432);

export interface LedgerProps {
  /**
   * A file with the certificates of Amazon RDS's authorities, where the ledger's users run: the connection is checked by it. Default: it is
   * encrypted, and not checked.
   */
  readonly certificates?: string | undefined;
  /** Those who send jobs from elsewhere. What they may send is said by their own groups. */
  readonly clients?: readonly ISecurityGroup[] | undefined;
}

export class Ledger extends Construct {
  readonly securityGroup: SecurityGroup;
  /** LEDGER_URL, without the password. */
  readonly url: string;
  /** PGPASSWORD. */
  readonly password: ContainerSecret;
  /** The secret that PGPASSWORD is the field `password` of. */
  readonly secret: ISecret;

  constructor(
    scope: Construct,
    id: string,
    { vpc, subnets }: Place,
    { certificates, clients = [] }: LedgerProps,
  ) {
    super(scope, id);
    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'ota-updater ledger',
      allowAllOutbound: false,
    });
    const secret = new Secret(this, 'Secret', {
      description: 'PostgreSQL user of the ledger of ota-updater',
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username: DATABASE }),
        generateStringKey: 'password',
        excludePunctuation: true,
        passwordLength: 40,
      },
    });
    const instance = new DatabaseInstance(this, 'Database', {
      engine: DatabaseInstanceEngine.postgres({ version: PostgresEngineVersion.VER_17_9 }),
      instanceType: InstanceType.of(InstanceClass.T4G, InstanceSize.MICRO),
      vpc,
      subnetGroup: new SubnetGroup(this, 'Subnets', {
        vpc,
        vpcSubnets: subnets,
        description: 'ota-updater ledger',
        removalPolicy: RemovalPolicy.DESTROY,
      }),
      securityGroups: [this.securityGroup],
      credentials: Credentials.fromSecret(secret),
      databaseName: DATABASE,
      allocatedStorage: 20,
      storageType: StorageType.GP3,
      storageEncrypted: true,
      publiclyAccessible: false,
      backupRetention: Duration.days(7),
      deletionProtection: true,
      removalPolicy: RemovalPolicy.SNAPSHOT,
    });
    const checked =
      certificates === undefined ? 'sslmode=no-verify' : `sslmode=verify-full&sslrootcert=${certificates}`;
    const { hostname } = instance.instanceEndpoint;
    this.url = Fn.join('', ['postgres://', DATABASE, '@', hostname, `:5432/${DATABASE}?${checked}`]);
    this.secret = secret;
    this.password = ContainerSecret.fromSecretsManager(secret, 'password');
    for (const client of clients) this.securityGroup.addIngressRule(client, PORT, 'ledger');
  }

  allowFrom(client: ISecurityGroup): void {
    this.securityGroup.addIngressRule(client, PORT, 'ledger');
    client.addEgressRule(this.securityGroup, PORT, 'ledger');
  }
}

export class Shared extends Construct {
  readonly securityGroup: SecurityGroup;
  /** REDIS_URL, with the password. */
  readonly url: ContainerSecret;

  constructor(scope: Construct, id: string, name: string, { vpc, subnets }: Place) {
    super(scope, id);
    this.securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'ota-updater Valkey',
      allowAllOutbound: false,
    });
    const token = new Secret(this, 'Token', {
      description: 'Password of the Valkey of ota-updater',
      generateSecretString: { excludePunctuation: true, passwordLength: 64 },
    });
    const group = new CfnReplicationGroup(this, 'Valkey', {
      replicationGroupDescription: `${name}: rate budget and newest values of its workers`,
      engine: 'valkey',
      engineVersion: '8.0',
      cacheNodeType: 'cache.t4g.micro',
      numCacheClusters: 1,
      automaticFailoverEnabled: false,
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      atRestEncryptionEnabled: true,
      authToken: token.secretValue.unsafeUnwrap(),
      cacheSubnetGroupName: new CfnSubnetGroup(this, 'Subnets', {
        description: 'ota-updater Valkey',
        subnetIds: vpc.selectSubnets(subnets).subnetIds,
      }).ref,
      securityGroupIds: [this.securityGroup.securityGroupId],
    });
    // CloudFormation puts the password in when it makes the secret; the template holds a reference.
    const url = new Secret(this, 'Url', {
      description: 'REDIS_URL of ota-updater',
      secretStringValue: SecretValue.unsafePlainText(
        Fn.join('', [
          'rediss://:',
          token.secretValue.unsafeUnwrap(),
          '@',
          group.attrPrimaryEndPointAddress,
          ':6379/0',
        ]),
      ),
    });
    this.url = ContainerSecret.fromSecretsManager(url);
  }

  allowFrom(client: ISecurityGroup): void {
    this.securityGroup.addIngressRule(client, Port.tcp(6379), 'Valkey');
    client.addEgressRule(this.securityGroup, Port.tcp(6379), 'Valkey');
  }
}
