import { Button, Group, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import type { ApiError } from '../lib/api';
import { useWords } from '../lib/language';
import { advice } from '../lib/problems';

interface Props {
  title: string;
  detail: string;
  todo: string;
  requestId?: string;
  onRetry?: () => void;
  onDismiss?: () => void;
  dismissLabel?: string;
}

/** Says what went wrong, why, and what to do; takes the focus, so that a screen reader reads it. */
export function Problem({ title, detail, todo, requestId, onRetry, onDismiss, dismissLabel }: Props) {
  const { problem } = useWords();
  const self = useRef<HTMLElement>(null);
  useEffect(() => self.current?.focus(), [title, detail]);
  return (
    <section className="problem" role="alert" tabIndex={-1} ref={self}>
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <IconAlertTriangle aria-hidden size={24} className="problem-icon" />
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

/** What the server or the network said; trying again is offered only where it can help. */
export function ServerProblem({ error, onRetry, ...rest }: ErrorProps) {
  useWords(); // the advice is in the page's language
  const { retry, ...sentences } = advice(error.code);
  const requestId = error.code === 'internal_error' ? error.requestId : undefined;
  return <Problem {...sentences} {...rest} detail={error.message} requestId={requestId} onRetry={retry ? onRetry : undefined} />;
}
