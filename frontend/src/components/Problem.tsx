import { Button, Group, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';

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
export function Problem({ title, detail, todo, requestId, onRetry, onDismiss, dismissLabel = 'Start over' }: Props) {
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
              Request id: {requestId}
            </Text>
          )}
          <Group mt="md" gap="sm">
            {onRetry && <Button onClick={onRetry}>Try again</Button>}
            {onDismiss && (
              <Button variant="default" onClick={onDismiss}>
                {dismissLabel}
              </Button>
            )}
          </Group>
        </div>
      </Group>
    </section>
  );
}
