import { LogOut, Moon, Search, Sun } from 'lucide-react';
import { useEffect } from 'react';
import { IconButton } from '../feedback/icon-button.tsx';
import { Key } from '../feedback/text-button.tsx';
import type { SignedInUser } from '../session/token-endpoint.ts';
import { chooseTheme, useTheme } from '../theme/theme-store.ts';
import { Clock } from './clock.tsx';
import styles from './frame.module.css';
import { LinkPill } from './link-pill.tsx';

export function TopBar({
  user,
  onSignOut,
  onSearch,
}: {
  user: SignedInUser;
  onSignOut: () => void;
  onSearch: () => void;
}) {
  const theme = useTheme();
  const otherTheme = theme === 'dark' ? 'light' : 'dark';
  useSearchKey(onSearch);
  return (
    <header className={styles.bar}>
      <button type="button" className={styles.search} aria-keyshortcuts="Control+K" onClick={onSearch}>
        <Search size={16} aria-hidden />
        <span>Search a trip or a driver</span>
        <Key name="Ctrl K" />
      </button>
      <div className={styles.barEnd}>
        <LinkPill />
        <Clock />
        <IconButton label={`Switch to the ${otherTheme} theme`} onClick={() => chooseTheme(otherTheme)}>
          {theme === 'dark' ? <Sun size={16} aria-hidden /> : <Moon size={16} aria-hidden />}
        </IconButton>
        <div className={styles.user}>
          <span className={styles.initials} aria-hidden="true">
            {initialsOf(user.name)}
          </span>
          <span>
            <span className="spoken-only">Signed in as </span>
            <strong>{user.name}</strong>
            <small>{user.role}</small>
          </span>
          <IconButton label="Sign out" onClick={onSignOut}>
            <LogOut size={16} aria-hidden />
          </IconButton>
        </div>
      </div>
    </header>
  );
}

/** Ctrl-K works everywhere, also while typing. */
function useSearchKey(onSearch: () => void): void {
  useEffect(() => {
    function press(event: KeyboardEvent): void {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      onSearch();
    }
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [onSearch]);
}

function initialsOf(name: string): string {
  const words = name.split(/[\s_-]+/).filter((word) => word !== '');
  return words
    .slice(0, 2)
    .map((word) => word.charAt(0).toUpperCase())
    .join('');
}
