import { isGrpcServiceError } from '@temporalio/client';

/** The gRPC status codes that are handled (grpc.io, "Status codes and their use"). */
export const GRPC = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  unimplemented: 12,
  unauthenticated: 16,
} as const;

type GrpcError = Error & { code: number; details: string };

export const hasCode = (error: unknown, ...codes: number[]): error is GrpcError =>
  isGrpcServiceError(error) && codes.includes(error.code);
