export interface Order {
  orderId: string;
  status: string;
  orderUuid?: string;
  bankIdUrl?: string;
  referenceNo?: string;
  grandTotal?: string;
  refundedAmount?: string;
  cancelRequestedAt?: string;
  updatedAt?: string;
  warnings?: Finding[];
}
export interface Finding {
  pointer: string;
  code: string;
  detail: string;
}
export interface Problem {
  nextStep: 'correct' | 'retry' | 'look' | 'read';
  detail: string;
  type?: string;
  orderId?: string;
  errors?: Finding[];
}
export class Bridge {
  constructor(options: { url: string; apiKey: string; retryForMs?: number });
  submit(document: object, key: string): Promise<{ order: Order; problem?: undefined } | { order?: undefined; problem: Problem }>;
  cancel(orderId: string): Promise<Problem | undefined>;
  read(orderId: string, refresh?: boolean): Promise<Order>;
  find(key: string): Promise<Order | undefined>;
  changed(updatedSince?: string, cursor?: string): Promise<{ orders: Order[]; next?: string; until?: string }>;
}
