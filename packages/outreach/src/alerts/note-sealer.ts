/**
 * Encrypts what people write about an alert. @param context whose alert: a press does not know yet which alert it joins, and what is said of
 * one person can be read in no other's alert
 */
export interface NoteSealer {
  seal(text: string, context: { personId: string }): string;
  open(sealed: string, context: { personId: string }): string;
}
