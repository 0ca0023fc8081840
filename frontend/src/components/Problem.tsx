import { Button, Group, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import type { ApiError } from '../lib/api';
import { explain } from '../lib/api/problems';
import { useWords } from '../lib/i18n/language';
import css from './Problem.module.css';

interface Props {
  title: string;
  detail: string;
  todo: string;
  requestId?: string;
  /** The server's own message, in English; it can have more details, such as the length of the recording. */
  serverMessage?: string;
  onRetry?: () => void;
  onDismiss?: () => void;
  dismissLabel?: string;
}

/** Error message: what went wrong, why, and what to do. Takes focus, so that screen readers read it. */
export function Problem({ title, detail, todo, requestId, serverMessage, onRetry, onDismiss, dismissLabel }: Props) {
  const { problem } = useWords();
  const self = useRef<HTMLElement>(null);
  useEffect(() => self.current?.focus(), [title, detail]);
  return (
    <section className={css.problem} role="alert" tabIndex={-1} ref={self}>
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <IconAlertTriangle aria-hidden size={24} className={css.problemIcon} />
        <div>
          <Title order={2} size="h4">
            {title}
          </Title>
          <Text mt={6}>{detail}</Text>
          <Text mt={6} fw={600}>
            {todo}
          </Text>
          {requestId && (
            <Text mt={6} size="sm" c="dimmed">
              {problem.request(requestId)}
            </Text>
          )}
          {serverMessage && (
            <details className={css.serverMessage}>
              <summary>{problem.said}</summary>
              <p lang="en">{serverMessage}</p>
            </details>
          )}
          <Group mt="md" gap="sm">
            {onRetry && <Button onClick={onRetry}>{problem.again}</Button>}
            {onDismiss && (
              <Button variant="default" onClick={onDismiss}>
                {dismissLabel ?? problem.over}
              </Button>
            )}
          </Group>
        </div>
      </Group>
    </section>
  );
}

interface ErrorProps {
  error: ApiError;
  onRetry?: () => void;
  onDismiss?: () => void;
  dismissLabel?: string;
}

/** Error message for a failed request; offers a retry only where it can succeed. */
export function ServerProblem({ error, onRetry, ...rest }: ErrorProps) {
  useWords(); // re-renders when the language changes
  const { retry, ...sentences } = explain(error);
  const { serverMessage, requestId } = error.known;
  const reported = error.code === 'internal_error' ? requestId : undefined;
  return <Problem {...sentences} {...rest} serverMessage={serverMessage} requestId={reported} onRetry={retry ? onRetry : undefined} />;
}
