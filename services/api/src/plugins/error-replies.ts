import type { ErrorCode } from '@hushryd/contracts/errors';
import { AppError, toAppError } from '@hushryd/platform/errors/app-error';
import { toProblem } from '@hushryd/platform/errors/problem';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiServer } from '../api-server.ts';
import { type FieldError, toFieldErrors } from './field-errors.ts';

export type ReplyWithError = (error: unknown, request: FastifyRequest, reply: FastifyReply) => void;

/**
 * The one place where errors become replies: problem details (RFC 9457) with our code and the request's correlation id. What went
 * wrong inside stays inside: it is logged, the reply of a 500 says nothing of it.
 */
export function createErrorReplies(log: Logger): ReplyWithError {
  return (error, request, reply) => {
    const appError = readError(error);
    const fields = fieldErrors(error);
    if (appError.status >= 500) logFailure(appError, request);
    const { problem, headers } = toProblem(appError, {
      correlationId: request.id,
      ...(fields !== undefined && { errors: fields }),
    });
    // A string goes out as it is: an error reply must not fail in a serializer.
    void reply.code(problem.status).headers(headers).send(JSON.stringify(problem));
  };

  function logFailure(error: AppError, request: FastifyRequest): void {
    const facts = {
      correlationId: request.id,
      method: request.method,
      route: request.routeOptions.url,
      code: error.code,
    };
    if (error.code === 'internal') log.error({ ...facts, err: error.cause ?? error }, 'request failed');
    else log.warn({ ...facts, detail: error.detail }, 'request could not be served');
  }
}

/** For requests that no route knows. */
export function addErrorReplies(app: ApiServer, replyWithError: ReplyWithError): void {
  app.setErrorHandler((error, request, reply) => replyWithError(error, request, reply));
  app.setNotFoundHandler((request, reply) => replyWithError(new AppError('not_found'), request, reply));
}

const codesOfFastify: Record<string, ErrorCode> = {
  FST_ERR_VALIDATION: 'request_invalid',
  FST_ERR_BAD_URL: 'request_invalid',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
  FST_ERR_CTP_INVALID_JSON_BODY: 'body_malformed',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'body_malformed',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'body_malformed',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_HANDLER_TIMEOUT: 'deadline_exceeded',
};

function readError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code, validation, statusCode, message } = error as Partial<FastifyError>;
  if (validation !== undefined) return new AppError('request_invalid');
  const known = code === undefined ? undefined : codesOfFastify[code];
  if (known !== undefined) return new AppError(known, { cause: error });
  if (statusCode === 400) return new AppError('body_malformed', { cause: error, ...(message && { detail: message }) });
  return toAppError(error);
}

function fieldErrors(error: unknown): FieldError[] | undefined {
  const { validation, validationContext } = error as Partial<FastifyError>;
  return validation === undefined ? undefined : toFieldErrors(validation, validationContext ?? 'body');
}
