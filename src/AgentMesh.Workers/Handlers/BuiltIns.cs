namespace AgentMesh.Workers.Handlers;

public static class BuiltIns
{
    /// <summary>A registry with <c>calc</c>, <c>echo</c>, <c>help</c>, <c>status</c> and <c>system status</c>; plug-ins are added to it.</summary>
    public static HandlerRegistry CreateRegistry(DeviceFacts facts)
    {
        var registry = new HandlerRegistry();
        registry.Add(new CalcHandler());
        registry.Add(new EchoHandler());
        registry.Add(new HelpHandler(registry));
        registry.Add(new StatusHandler("status", facts));
        registry.Add(new StatusHandler("system status", facts));
        return registry;
    }
}
