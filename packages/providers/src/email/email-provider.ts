import type { Provider } from '../provider.ts';

export interface EmailMessage {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly replyTo?: string;
}

export type EmailProvider = Provider<EmailMessage>;
