variable "name" {
  description = "Names of queues, roles and alarms begin with it."
  type        = string
  default     = "ota-updater"
}

variable "vpc_id" {
  description = "The VPC of the tasks."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the tasks and the stores, in two zones, with a way out."
  type        = list(string)
}

variable "assign_public_ip" {
  description = "For subnets whose way out is an internet gateway."
  type        = bool
  default     = false
}

variable "image" {
  description = "The image, with tag or digest."
  type        = string
}

variable "image_repository_arn" {
  description = "Its repository in ECR."
  type        = string
}

variable "arm64" {
  description = "The image is one for arm64."
  type        = bool
  default     = false
}

variable "settings" {
  description = "Settings of the workers besides those that follow from the rest, such as RATE_LIMIT."
  type        = map(string)
  default     = {}
}

variable "workers" {
  description = "One is faster than any limit measured; a second one is for availability."
  type        = number
  default     = 1
}

variable "fifo" {
  description = "Update queue and dead-letter queue are FIFO queues."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Encrypts the queues. Without it SQS's own key does."
  type        = string
  default     = null
}

variable "people" {
  description = "Who may take the roles of enqueuer and operator: ARNs. Default: whom this account lets."
  type        = list(string)
  default     = []
}

variable "report_bucket" {
  description = "Where reports of jobs may be filed."
  type        = string
  default     = null
}

variable "notify_topic_arn" {
  description = "The SNS topic that jobs tell of their ends."
  type        = string
  default     = null
}

variable "notify_event_bus" {
  description = "The EventBridge event bus that jobs tell of their ends."
  type        = string
  default     = null
}

variable "alarm_topic_arn" {
  description = "The SNS topic that is told of alarms."
  type        = string
  default     = null
}

variable "too_old_seconds" {
  description = "An update that waits for longer raises an alarm."
  type        = number
  default     = 900
}

variable "valkey" {
  description = "Workers share rate and memory through Valkey."
  type        = bool
  default     = false
}

variable "ledger" {
  description = "PostgreSQL for the ledger of jobs, for commands on several machines. Without it a console brings one."
  type = object({
    # A file with the certificates of Amazon RDS's authorities, where the ledger's users run.
    certificates = optional(string)
    # Of those who send jobs from elsewhere.
    client_security_group_ids = optional(list(string), [])
  })
  default = null
}

variable "console" {
  description = "The console behind a load balancer. It brings a ledger."
  type = object({
    host_name         = string
    certificate_arn   = string
    public_subnet_ids = list(string)
    vpc_cidr          = string
    from              = optional(string, "0.0.0.0/0")
    operators         = optional(list(string), [])
    tokens_secret_arn = optional(string)
    oidc = optional(object({
      issuer                 = string
      authorization_endpoint = string
      token_endpoint         = string
      user_info_endpoint     = string
      client_id              = string
      client_secret          = string
    }))
  })
  default   = null
  sensitive = false

  validation {
    condition     = var.console == null || try(var.console.oidc, null) != null || try(var.console.tokens_secret_arn, null) != null
    error_message = "Nobody could sign in to the console: give it oidc or tokens_secret_arn."
  }
}
