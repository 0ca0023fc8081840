import { Loader } from '@mantine/core';
import { useEffect, useState, type ComponentType } from 'react';
import layout from '../components/layout.module.css';
import { useWords } from '../lib/i18n/language';

/** Loads a component when it is first rendered. Unlike React.lazy, tries again on the next mount if loading failed. */
export function lazyWithRetry<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let known: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
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
