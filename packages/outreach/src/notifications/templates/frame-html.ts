import type { Locale } from './template.ts';

/** The frame that all mails share. Styles stand inside, since mail programs load nothing. */
export function frameHtml({ locale, title, body }: { locale: Locale; title: string; body: string }): string {
  return `<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
body { margin: 0; padding: 24px 16px; background: #f4f5f7; color: #16202c; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 480px; margin: 0 auto; padding: 24px; background: #fff; border-radius: 12px; }
a { color: #0b57d0; }
.button { display: inline-block; padding: 12px 20px; border-radius: 8px; background: #b3261e; color: #fff; text-decoration: none; }
.alarm { font-weight: 600; color: #b3261e; }
.code { font: 600 32px/1.2 ui-monospace, monospace; letter-spacing: 4px; }
footer { max-width: 480px; margin: 16px auto 0; color: #5a6572; font-size: 13px; }
</style>
</head>
<body>
<main>${body}</main>
<footer>HushRyd</footer>
</body>
</html>
`;
}
