// The container's health: whether the address in HEALTH_URL answers in the two hundreds within two seconds.
const url = process.env.HEALTH_URL ?? `http://127.0.0.1:${process.env.PORT ?? 5000}/health/ready`;

try {
  const { status, ok } = await fetch(url, { signal: AbortSignal.timeout(2000) });
  if (!ok) throw new Error(`${url} answered ${status}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
