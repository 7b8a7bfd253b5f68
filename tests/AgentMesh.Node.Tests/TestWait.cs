namespace AgentMesh.Node.Tests;

internal static class TestWait
{
    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromMinutes(1), $"it did not happen: {what}");
            await Task.Delay(10);
        }
    }
}
