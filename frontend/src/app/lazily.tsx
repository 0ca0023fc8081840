import { Loader } from '@mantine/core';
import { useEffect, useState, type ComponentType } from 'react';
import layout from '../components/layout.module.css';
import { useWords } from '../lib/i18n/language';

/** A part that is loaded when it is first shown. One that could not be is asked for again the next time; React.lazy never would. */
export function lazily<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let known: ComponentType<Props> | undefined;
  return function Lazily(props: Props) {
    const { loading } = useWords();
    const [{ Part, failure }, setState] = useState<{ Part?: ComponentType<Props>; failure?: Error }>({ Part: known });
    useEffect(() => {
      if (Part) return;
      load().then(
        (loaded) => setState({ Part: (known = loaded) }),
        (error: Error) => setState({ failure: error }),
      );
    }, [Part]);
    if (failure) throw failure;
    return Part ? <Part {...props} /> : <Loader className={layout.waiting} aria-label={loading} />;
  };
}
