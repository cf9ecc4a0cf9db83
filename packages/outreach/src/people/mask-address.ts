/** A phone number of which two digits are left: enough to tell one's own numbers apart, useless to anybody else. */
export const maskPhone = (phone: string): string => `••• ${phone.slice(-2)}`;

/** An email of which the first letter and the domain are left. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  return `${email.slice(0, 1)}•••${email.slice(at)}`;
}
