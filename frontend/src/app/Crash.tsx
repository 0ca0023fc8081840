import { Button, Text, Title } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { words } from '../lib/language';

/** Catches what a view throws, such as a part that cannot be loaded because the server is gone, and says so. */
export class Crash extends Component<{ children: ReactNode }, { crashed: boolean }> {
  state = { crashed: false };

  static getDerivedStateFromError() {
    return { crashed: true };
  }

  render() {
    if (!this.state.crashed) return this.props.children;
    const { crash } = words();
    return (
      <section className="problem" role="alert">
        <Title order={2} size="h4">
          {crash.title}
        </Title>
        <Text mt={6}>{crash.detail}</Text>
        <Text mt={6} fw={600}>
          {crash.todo}
        </Text>
        <Button mt="md" onClick={() => window.location.reload()}>
          {crash.reload}
        </Button>
      </section>
    );
  }
}
