import type { Dashboard, FieldConfig, Panel } from '@grafana/schema';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  FieldConfig as TimelineField,
  Options as TimelineOptions,
} from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type {
  FieldConfig as TableField,
  Options as TableOptions,
} from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type {
  FieldConfig as LinesField,
  Options as LinesOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** JSON has the values of enumerations, and not their names. */
type Written<T> = T extends string
  ? `${T}`
  : T extends readonly (infer Item)[]
    ? Written<Item>[]
    : T extends object
      ? { [Key in keyof T]: Written<T[Key]> }
      : T;

/** Grafana's own type leaves open what the panel of a plugin holds; these are the plugins' own. */
interface PanelOf<Type, Options, Custom> extends Omit<Panel, 'type' | 'options' | 'fieldConfig'> {
  type: Type;
  options: Partial<Options>;
  fieldConfig: {
    defaults: Omit<FieldConfig, 'custom'> & { custom?: Partial<Custom> };
    overrides: NonNullable<Panel['fieldConfig']>['overrides'];
  };
}

type KnownPanel =
  | PanelOf<'stat', StatOptions, never>
  | PanelOf<'timeseries', LinesOptions, LinesField>
  | PanelOf<'table', TableOptions, TableField>
  | PanelOf<'state-timeline', TimelineOptions, TimelineField>;

/** A dashboard as a file has it, by the schema of Grafana: what it does not know is an error in a literal. */
export type WrittenDashboard = Written<Omit<Dashboard, 'panels'> & { panels: KnownPanel[] }>;
