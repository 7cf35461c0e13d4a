import { invalid } from '#base/errors.ts'
import type { ContainerConfig, HealthAction, Healthcheck } from '../container.ts'

const httpLabel = 'io.berth.healthcheck.http'
const tcpLabel = 'io.berth.healthcheck.tcp'
const actionLabel = 'io.berth.health-on-failure'
const actions = ['restart', 'stop', 'kill'] as const satisfies readonly HealthAction[]

/**
 * The health check of a create request, its labels included. An image's labels are never asked: what the engine does by itself is chosen by
 * whoever makes the container.   @throws `invalid`
 */
export function requestedHealthcheck({ healthcheck, labels }: ContainerConfig): Healthcheck | undefined {
  const tests = [
    ...(labels[httpLabel] === undefined ? [] : [['HTTP', labels[httpLabel]]]),
    ...(labels[tcpLabel] === undefined ? [] : [['TCP', labels[tcpLabel]]]),
    ...(healthcheck?.Test?.length ? [healthcheck.Test] : []),
  ]
  if (tests.length > 1) {
    throw invalid(
      `a container has one health check: choose one of Healthcheck.Test and the labels ${httpLabel} and ${tcpLabel}`,
    )
  }
  return tests[0] ? { ...healthcheck, Test: tests[0] } : healthcheck
}

/** @throws `invalid` */
export function requestedAction({ labels }: ContainerConfig): HealthAction | undefined {
  const asked = labels[actionLabel]
  if (asked === undefined || asked === 'none') return undefined
  const action = actions.find((one) => one === asked)
  if (!action) throw invalid(`invalid label ${actionLabel}=${asked}: it must be none, ${actions.join(', ')}`)
  return action
}
