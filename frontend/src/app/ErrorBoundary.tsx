import { Button, Text, Title } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import css from '../components/Problem.module.css';
import { words } from '../lib/i18n/language';

/** Error boundary of a view, for example when its code cannot be loaded because the server is unreachable. Retries in place,
 * because reloading the page would lose unsaved recordings. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { crashed: boolean }> {
  state = { crashed: false };

  static getDerivedStateFromError() {
    return { crashed: true };
  }

  render() {
    if (!this.state.crashed) return this.props.children;
    const { crash, problem } = words();
    return (
      <section className={css.problem} role="alert">
        <Title order={2} size="h4">
          {crash.title}
        </Title>
        <Text mt={6}>{crash.detail}</Text>
        <Text mt={6} fw={600}>
          {crash.todo}
        </Text>
        <Button mt="md" onClick={() => this.setState({ crashed: false })}>
          {problem.again}
        </Button>
      </section>
    );
  }
}
