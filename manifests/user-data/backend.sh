#!/bin/bash
# Brings up the BEACON backend on a new instance: Docker, the CloudWatch agent, the container as a service, and its watchdog.
# The manifest inserts the assignments after the first line: ECR_REPOSITORY_URL, AWS_REGION, ENVIRONMENT, CLOUDWATCH_LOGS and
# DYNAMODB_{VECTORS,SESSIONS,USAGE}_TABLE. Written for Amazon Linux 2023, which has systemd timers and no cron.

set -euo pipefail

LOG_FILE="/var/log/beacon-setup.log"
exec > >(tee -a "${LOG_FILE}") 2>&1

echo "Starting BEACON backend setup at $(date)"

yum update -y
yum install -y docker amazon-cloudwatch-agent logrotate
systemctl enable --now docker
usermod -a -G docker ec2-user

# Amazon Linux 2023 has it; older images do not.
if ! command -v aws > /dev/null; then
    yum install -y unzip
    curl --fail --silent --show-error "https://awscli.amazonaws.com/awscli-exe-linux-x86_64.zip" -o /tmp/awscliv2.zip
    unzip -q /tmp/awscliv2.zip -d /tmp
    /tmp/aws/install
    rm -rf /tmp/awscliv2.zip /tmp/aws
fi

mkdir -p /app/logs
chown ec2-user:ec2-user /app/logs

# The CloudWatch agent sends metrics always, and logs where the environment keeps them.
logs_section=""
if [[ "${CLOUDWATCH_LOGS}" == "true" ]]; then
    logs_section='"logs": {
    "logs_collected": {
      "files": {
        "collect_list": [
          {
            "file_path": "/var/log/beacon-setup.log",
            "log_group_name": "/aws/ec2/beacon/'"${ENVIRONMENT}"'/setup",
            "log_stream_name": "{instance_id}/setup.log"
          },
          {
            "file_path": "/app/logs/*.log",
            "log_group_name": "/aws/ec2/beacon/'"${ENVIRONMENT}"'/app",
            "log_stream_name": "{instance_id}/app.log"
          }
        ]
      }
    }
  },'
fi

cat > /opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json << EOF
{
  "agent": {
    "metrics_collection_interval": 60,
    "run_as_user": "root"
  },
  ${logs_section}
  "metrics": {
    "namespace": "BEACON/${ENVIRONMENT}",
    "metrics_collected": {
      "cpu": {
        "measurement": ["cpu_usage_idle", "cpu_usage_iowait", "cpu_usage_user", "cpu_usage_system"],
        "metrics_collection_interval": 60
      },
      "disk": {
        "measurement": ["used_percent"],
        "metrics_collection_interval": 60,
        "resources": ["*"]
      },
      "diskio": {
        "measurement": ["io_time"],
        "metrics_collection_interval": 60,
        "resources": ["*"]
      },
      "mem": {
        "measurement": ["mem_used_percent"],
        "metrics_collection_interval": 60
      }
    }
  }
}
EOF

/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl \
    -a fetch-config -m ec2 -s \
    -c file:/opt/aws/amazon-cloudwatch-agent/etc/amazon-cloudwatch-agent.json

# The registry's host is the repository's URL up to the first slash.
aws ecr get-login-password --region "${AWS_REGION}" |
    docker login --username AWS --password-stdin "${ECR_REPOSITORY_URL%%/*}"
docker pull "${ECR_REPOSITORY_URL}:latest"

cat > /etc/systemd/system/beacon-backend.service << EOF
[Unit]
Description=BEACON Backend Service
After=docker.service network-online.target
Wants=network-online.target
Requires=docker.service

[Service]
Restart=always
RestartSec=5
ExecStartPre=-/usr/bin/docker rm --force beacon-backend
ExecStart=/usr/bin/docker run --rm \\
    --name beacon-backend \\
    -p 5000:5000 \\
    -v /app/logs:/app/logs \\
    -e AWS_REGION=${AWS_REGION} \\
    -e FLASK_ENV=production \\
    -e FLASK_DEBUG=0 \\
    -e DYNAMODB_VECTORS_TABLE=${DYNAMODB_VECTORS_TABLE} \\
    -e DYNAMODB_SESSIONS_TABLE=${DYNAMODB_SESSIONS_TABLE} \\
    -e DYNAMODB_USAGE_TABLE=${DYNAMODB_USAGE_TABLE} \\
    -e CHROMA_DATA_DIR=/app/chroma_data \\
    ${ECR_REPOSITORY_URL}:latest
ExecStop=/usr/bin/docker stop beacon-backend

[Install]
WantedBy=multi-user.target
EOF

cat > /etc/logrotate.d/beacon-backend << 'EOF'
/app/logs/*.log {
    daily
    missingok
    rotate 7
    compress
    delaycompress
    notifempty
    copytruncate
}
EOF

# The watchdog, every five minutes.
cat > /usr/local/bin/beacon-monitor.sh << 'EOF'
#!/bin/bash
# Restarts the backend when its container is gone or does not answer.
set -u

say() {
    echo "$(date): $1" >> /var/log/beacon-monitor.log
}

is_running() {
    [[ -n "$(docker ps --quiet --filter name=^beacon-backend$)" ]]
}

if ! is_running; then
    say "Backend container not running, attempting restart"
    systemctl restart beacon-backend
    sleep 30
    if ! is_running; then
        say "Failed to restart backend container"
        exit 1
    fi
fi

if ! curl --fail --silent --max-time 10 --output /dev/null http://localhost:5000/api/health; then
    say "Health check failed, restarting backend"
    systemctl restart beacon-backend
fi

say "Backend monitoring check completed"
EOF
chmod +x /usr/local/bin/beacon-monitor.sh

cat > /etc/systemd/system/beacon-monitor.service << 'EOF'
[Unit]
Description=BEACON backend watchdog

[Service]
Type=oneshot
ExecStart=/usr/local/bin/beacon-monitor.sh
EOF

cat > /etc/systemd/system/beacon-monitor.timer << 'EOF'
[Unit]
Description=Runs the BEACON backend watchdog every five minutes

[Timer]
OnBootSec=10min
OnUnitActiveSec=5min

[Install]
WantedBy=timers.target
EOF

systemctl daemon-reload
systemctl enable --now beacon-backend.service beacon-monitor.timer

for attempt in {1..10}; do
    if curl --fail --silent --max-time 10 --output /dev/null http://localhost:5000/api/health; then
        echo "BEACON backend setup completed successfully at $(date)"
        exit 0
    fi
    echo "Waiting for backend service... attempt ${attempt}/10"
    sleep 10
done

echo "Backend service failed to start properly"
exit 1
