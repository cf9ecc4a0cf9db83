import { useEffect, useState } from 'react';

/** A value read again every `everyMs`, for ages and clocks. Timers stop while the tab is hidden by the browser's own rules. */
export function useTicking<Value>(read: () => Value, everyMs: number): Value {
  const [value, setValue] = useState(read);
  useEffect(() => {
    const update = () => setValue(read());
    update();
    const timer = setInterval(update, everyMs);
    return () => clearInterval(timer);
  }, [read, everyMs]);
  return value;
}
