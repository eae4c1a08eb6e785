import { type ExceptionOptionType, ServiceException } from '@smithy/core/client';

/**
 * Base of every error of the service. An error code without a class of its own becomes this class, with the code as
 * `name`; an answer without a code has the name `Unknown`. The text is in `message`. `Message` exists in the types only and
 * is undefined on a received error.
 */
export class IoTManagedIntegrationsServiceException extends ServiceException {
  static override readonly shapeId: string =
    'smithy.ts.sdk.synthetic.com.amazonaws.iotmanagedintegrations#IoTManagedIntegrationsServiceException';
}

type Options<E extends Error> = ExceptionOptionType<E, IoTManagedIntegrationsServiceException>;

/** 403: the caller's credentials do not allow the operation. */
export class AccessDeniedException extends IoTManagedIntegrationsServiceException {
  static override readonly shapeId: string = 'com.amazonaws.iotmanagedintegrations#AccessDeniedException';
  override readonly name = 'AccessDeniedException' as const;
  override readonly $fault = 'client' as const;
  Message?: string | undefined;

  constructor(opts: Options<AccessDeniedException>) {
    super({ name: 'AccessDeniedException', $fault: 'client', ...opts });
    this.Message = opts.Message;
  }
}

/** 409: it is there already, or the same client token came with other values. */
export class ConflictException extends IoTManagedIntegrationsServiceException {
  static override readonly shapeId: string = 'com.amazonaws.iotmanagedintegrations#ConflictException';
  override readonly name = 'ConflictException' as const;
  override readonly $fault = 'client' as const;
  Message?: string | undefined;

  constructor(opts: Options<ConflictException>) {
    super({ name: 'ConflictException', $fault: 'client', ...opts });
    this.Message = opts.Message;
  }
}

/** 500: the service failed, or is not available. */
export class InternalServerException extends IoTManagedIntegrationsServiceException {
  static override readonly shapeId: string = 'com.amazonaws.iotmanagedintegrations#InternalServerException';
  override readonly name = 'InternalServerException' as const;
  override readonly $fault = 'server' as const;
  Message?: string | undefined;

  constructor(opts: Options<InternalServerException>) {
    super({ name: 'InternalServerException', $fault: 'server', ...opts });
    this.Message = opts.Message;
  }
}

/** 404: the task, or the task configuration, does not exist. */
export class ResourceNotFoundException extends IoTManagedIntegrationsServiceException {
  static override readonly shapeId: string = 'com.amazonaws.iotmanagedintegrations#ResourceNotFoundException';
  override readonly name = 'ResourceNotFoundException' as const;
  override readonly $fault = 'client' as const;
  Message?: string | undefined;
  /** Id of the missing resource. */
  ResourceId?: string | undefined;
  /** Type of the missing resource. */
  ResourceType?: string | undefined;

  constructor(opts: Options<ResourceNotFoundException>) {
    super({ name: 'ResourceNotFoundException', $fault: 'client', ...opts });
    this.Message = opts.Message;
    this.ResourceId = opts.ResourceId;
    this.ResourceType = opts.ResourceType;
  }
}

/** 429, or 400 from AWS's front end: too many calls. */
export class ThrottlingException extends IoTManagedIntegrationsServiceException {
  static override readonly shapeId: string = 'com.amazonaws.iotmanagedintegrations#ThrottlingException';
  override readonly name = 'ThrottlingException' as const;
  override readonly $fault = 'client' as const;
  Message?: string | undefined;

  constructor(opts: Options<ThrottlingException>) {
    super({ name: 'ThrottlingException', $fault: 'client', ...opts });
    this.Message = opts.Message;
  }
}

/** 400: the request is not valid. */
export class ValidationException extends IoTManagedIntegrationsServiceException {
  static override readonly shapeId: string = 'com.amazonaws.iotmanagedintegrations#ValidationException';
  override readonly name = 'ValidationException' as const;
  override readonly $fault = 'client' as const;
  Message?: string | undefined;

  constructor(opts: Options<ValidationException>) {
    super({ name: 'ValidationException', $fault: 'client', ...opts });
    this.Message = opts.Message;
  }
}
