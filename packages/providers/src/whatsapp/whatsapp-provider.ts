import type { Provider } from '../provider.ts';

export interface WhatsAppMessage {
  /** E.164: `+919876543210`. */
  readonly to: string;
  /** A business may write first by an approved template only. */
  readonly template: {
    readonly name: string;
    /** As registered: `en`, `hi`. */
    readonly languageCode: string;
    /** For `{{1}}`, `{{2}}` … of its body, in order. */
    readonly bodyParameters: readonly string[];
    /** What ends the address of its first button. */
    readonly buttonUrlSuffix?: string;
  };
}

export type WhatsAppProvider = Provider<WhatsAppMessage>;
