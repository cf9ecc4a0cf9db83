import type { ButtonHTMLAttributes, ReactNode } from 'react';
import styles from './feedback.module.css';

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What it does; also the tooltip. */
  label: string;
  keyName?: string;
  isPressed?: boolean;
  children: ReactNode;
}

export function IconButton({ label, keyName, isPressed, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={styles.icon}
      aria-label={label}
      title={keyName === undefined ? label : `${label} (${keyName})`}
      {...(isPressed === undefined ? {} : { 'aria-pressed': isPressed })}
      {...(keyName === undefined ? {} : { 'aria-keyshortcuts': keyName })}
    >
      {children}
    </button>
  );
}
