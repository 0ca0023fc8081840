import type { AnchorHTMLAttributes } from 'react';
import { navigate } from '../lib/router';

interface Props extends AnchorHTMLAttributes<HTMLAnchorElement> {
  href: string;
}

/** Client-side link to a view; modifier keys open a new tab or window as usual. */
export function Link({ href, children, onClick, ...rest }: Props) {
  return (
    <a
      {...rest}
      href={href}
      onClick={(event) => {
        onClick?.(event);
        if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(href);
      }}
    >
      {children}
    </a>
  );
}
